import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { imagingFileSchema } from '../../src/imaging/imaging-file-schema.ts';
import { readImagingFile } from '../../src/imaging/read-imaging-file.ts';
import { blocksOf, readDocument, root, tableRows } from '../support/markdown-blocks.ts';

const document = 'docs/imaging.md';
type Fields = Record<string, { default?: unknown; properties?: Fields }>;

test('the declaration in docs/imaging.md is accepted', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-docs-'));
  const file = path.join(folder, 'imaging.json');
  const example = blocksOf(document).find(({ text }) => text.includes('"servers"'));
  await writeFile(file, example?.text ?? '');
  const settings = await readImagingFile(file);
  expect(Object.keys(settings?.servers ?? {})).toEqual(['pacs', 'archive']);
  expect(settings?.limits).toMatchObject({ objectBytes: 100_000_000, frames: 2_000, timeoutMs: 30_000 });
  await rm(folder, { recursive: true });
});

test('the declaration of docker/compose.imaging.yaml is accepted', async () => {
  const settings = await readImagingFile(path.join(root, 'docker/imaging/imaging.json'));
  expect(settings?.servers.orthanc?.passwordVariable).toBe('ORTHANC_PASSWORD');
});

test('docs/imaging.md lists every field of IMAGING_FILE with its default', () => {
  const rows = tableRows(readDocument(document)).map((cells) =>
    cells.slice(0, 2).map((cell) => cell.replaceAll('`', '')),
  );
  const { servers, ...fields } = imagingFileSchema.properties as unknown as Fields & {
    servers: { patternProperties: Record<string, { properties: Fields }> };
  };
  const [server] = Object.values(servers.patternProperties);
  const listed = (name: string, value: unknown) => [
    name,
    value === undefined ? 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value),
  ];
  for (const [name, field] of Object.entries(server?.properties ?? {}))
    expect(rows).toContainEqual(listed(name, field.default));
  for (const [name, { properties, default: value }] of Object.entries(fields)) {
    if (name === '$schema') continue;
    if (properties === undefined) expect(rows).toContainEqual(listed(name, value));
    for (const [inner, field] of Object.entries(properties ?? {}))
      expect(rows).toContainEqual(listed(`${name}.${inner}`, field.default));
  }
});
