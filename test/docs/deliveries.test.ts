import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readSinks } from '../../src/write-back/sinks/read-sinks.ts';
import { sinkSchemas } from '../../src/write-back/sinks/sink-schema.ts';
import { blocksOf, readDocument, tableRows } from '../support/markdown-blocks.ts';
import { startFhirsight } from '../support/start-fhirsight.ts';

const document = 'docs/deliveries.md';

async function withExample<T>(use: (file: string) => Promise<T>, number = 0): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-docs-'));
  const file = path.join(folder, 'sinks.json');
  const example = blocksOf(document).filter(({ language }) => language === 'json')[number];
  await writeFile(file, example?.text ?? '');
  try {
    return await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the declaration in docs/deliveries.md is accepted', async () => {
  const sinks = await withExample(readSinks);
  expect(sinks.map(({ kind }) => kind)).toEqual(['fhir-transaction', 'fhir-creates', 'ndjson']);
  expect((await withExample(readSinks, 1)).map(({ kind }) => kind)).toEqual(['dicomweb']);
});

test('docs/deliveries.md lists every field of a sink and its default', () => {
  const rows = tableRows(readDocument(document)).filter(([, kinds = '']) =>
    /^(all|FHIR|FHIR, ndjson|fhir-creates|ndjson|dicomweb)$/.test(kinds),
  );
  const fields = Object.values(sinkSchemas).flatMap(({ properties }) => Object.keys(properties));
  expect(rows.map(([name]) => name?.replaceAll('`', '')).sort()).toEqual([...new Set(fields)].sort());
  for (const [name = '', , shown = ''] of rows) {
    const field = name.replaceAll('`', '');
    const defaults = Object.values(sinkSchemas).flatMap(({ properties }) => {
      const schema = (properties as Record<string, { default?: unknown }>)[field];
      return schema?.default === undefined ? [] : [String(schema.default)];
    });
    expect(shown.replaceAll('`', '')).toBe([...new Set(defaults)].join(', ') || 'none');
  }
});

test('the requests of docs/deliveries.md are answered as it says', async () => {
  await withExample(async (file) => {
    const server = await startFhirsight({ settings: { SINKS_FILE: file } });
    try {
      for (const { text, mark } of blocksOf(document).filter(({ language }) => language === 'sh')) {
        const url = /http:\/\/127\.0\.0\.1:8080(\/[^\s']*)/.exec(text)?.[1] ?? '';
        const body = /-d '([^']*)'/.exec(text)?.[1];
        const answer = await fetch(`${server.url}${url}`, {
          ...(body === undefined ? {} : { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }),
        });
        expect([url, String(answer.status)]).toEqual([url, mark?.value ?? '200']);
      }
    } finally {
      await server.close();
    }
  });
});
