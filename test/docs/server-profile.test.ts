import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { categoriesOf, readDeclaredServer } from '../../src/fhir/client/read-declared-server.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { checkSiteQueries } from '../../src/model-catalog/site-queries.ts';
import { blocksOf, readDocument, tableRows } from '../support/markdown-blocks.ts';
import { shippedModel } from '../support/shipped-model.ts';

const document = 'docs/server-profile.md';
const blocks = blocksOf(document);
const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-profile-doc-'));
afterAll(() => rm(folder, { recursive: true }));

test('the example of docs/server-profile.md is one that a server starts with', async () => {
  expect(blocks.map(({ mark }) => mark?.value)).toEqual(['profile']);
  const file = path.join(folder, 'profile.json');
  await writeFile(file, blocks[0]?.text ?? '');
  const declared = await readDeclaredServer(file);
  const models = Object.entries(declared.queries ?? {});
  expect(models).not.toEqual([]);
  for (const [id, site] of models) {
    const { featureMap } = await shippedModel(id);
    const queries = recordQueries(featureMap, new Date(0), ['consent', 'group']);
    expect(checkSiteQueries(queries, site, categoriesOf(declared))).toEqual([]);
  }
});

test('docs/server-profile.md explains every key of its example', () => {
  const explained = tableRows(readDocument(document).split('## The file')[1] ?? '').map(([key]) => key ?? '');
  const { pageSize, types, queries, ...others } = JSON.parse(blocks[0]?.text ?? '{}');
  expect([typeof pageSize, typeof queries, others]).toEqual(['number', 'object', {}]);
  const ofTypes = new Set(Object.values(types as object).flatMap((type) => Object.keys(type)));
  for (const key of ofTypes) expect(explained).toContain(`\`types.{Type}.${key}\``);
  expect(explained).toEqual(expect.arrayContaining(['`pageSize`', '`metadata`', '`queries.{model}.{key}`']));
});
