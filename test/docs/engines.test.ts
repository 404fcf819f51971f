import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { enginesSchema } from '../../src/inference/engines-schema.ts';
import { readEngines } from '../../src/inference/read-engines.ts';
import { parseCurl } from '../support/curl-command.ts';
import { blocksOf, readDocument, tableRows } from '../support/markdown-blocks.ts';
import { copyModel } from '../support/model-folder.ts';
import { startFhirsight } from '../support/start-fhirsight.ts';

const document = 'docs/engines.md';
const blocks = blocksOf(document);

test('the declaration in docs/engines.md is accepted', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-docs-'));
  const file = path.join(folder, 'engines.json');
  await writeFile(file, blocks.find(({ language }) => language === 'json')?.text ?? '');
  expect(Object.keys((await readEngines(file)).remote)).toEqual(['farm']);
  await rm(folder, { recursive: true });
});

test('docs/engines.md lists every field of an engine and of a model, with its default', () => {
  const rows = tableRows(readDocument(document)).map(([name = '', shown = '']) =>
    [name, shown].map((cell) => cell.replaceAll('`', '')),
  );
  const { engines, models } = enginesSchema.properties;
  const [engine] = Object.values(engines.patternProperties) as { properties: Record<string, { default?: unknown }> }[];
  const [model] = Object.values(models.patternProperties) as { properties: Record<string, object> }[];
  for (const [field, { default: value }] of Object.entries(engine?.properties ?? {})) {
    expect(rows).toContainEqual([field, value === undefined ? 'none' : String(value)]);
  }
  for (const field of Object.keys(model?.properties ?? {})) expect(rows.map(([name]) => name)).toContain(field);
});

test('the requests of docs/engines.md are answered as it says', async () => {
  await using folder = await copyModel('kfre-4');
  const tokenFile = path.join(folder.modelsDir, 'token');
  await writeFile(tokenFile, 'an-example-of-a-token');
  const settings = { MODELS_DIR: folder.modelsDir, INFERENCE_PROTOCOL: 'on', INFERENCE_PROTOCOL_TOKEN_FILE: tokenFile };
  const server = await startFhirsight({ settings });
  try {
    for (const [index, { language, text, mark, line }] of blocks.entries()) {
      if (language !== 'sh' || !text.includes('/v2')) continue;
      const { url, ...request } = parseCurl(text);
      const response = await fetch(url.replace('http://127.0.0.1:8080', server.url), request);
      const answer = await response.json();
      expect([line, String(response.status)]).toEqual([line, mark?.value]);
      const next = blocks[index + 1];
      if (next?.mark?.name === 'answer') expect(answer).toEqual(JSON.parse(next.text));
    }
  } finally {
    await server.close();
  }
});
