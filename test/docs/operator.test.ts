import { describe, expect, test } from 'vitest';
import { readSiteFile } from '../../src/model-catalog/read-site-file.ts';
import { type Setting, settings } from '../../src/platform/config-schema.ts';
import { blocksOf, readDocument, tableRows } from '../support/markdown-blocks.ts';
import { writeSite } from '../support/site-file.ts';

function row({ name, default: value, allowed, unit, description }: Setting): string[] {
  const shown = value === undefined ? '' : `\`${[value].flat().join(',')}\``;
  return [`\`${name}\``, shown, unit === undefined ? allowed : `${allowed} (${unit})`, description];
}

describe('docs/operator.md', () => {
  test('lists every setting as the schema has it', () => {
    expect(tableRows(readDocument('docs/operator.md')).map((cells) => cells.map((cell) => cell.trim()))).toEqual(
      settings.map(row),
    );
  });

  test('shows a site file that the server reads', async () => {
    const examples = blocksOf('docs/operator.md').filter(({ mark }) => mark?.value === 'site-file');
    expect(examples).toHaveLength(1);
    for (const { text } of examples) {
      await using written = await writeSite(text);
      expect(Object.keys((await readSiteFile(written.file))?.concepts ?? {})).toEqual(['creatinine', 'diabetes']);
    }
  });
});
