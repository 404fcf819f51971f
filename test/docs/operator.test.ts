import { describe, expect, test } from 'vitest';
import { type Setting, settings } from '../../src/platform/config-schema.ts';
import { readDocument, tableRows } from '../support/markdown-blocks.ts';

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
});
