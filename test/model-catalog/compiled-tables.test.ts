import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { compiledTables as kept } from '../../src/model-catalog/compiled-tables.ts';
import { digestWithTables } from '../../src/model-catalog/whole-version.ts';
import { compiledTables, decidedFolders, tableFiles, wordlessFiles } from '../support/compiled-tables.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** The sources with one of them changed. */
function changed(file: string, change: (text: string) => string): (name: string) => string {
  return (name) => {
    const text = readFileSync(path.join(root, name), 'utf8');
    if (name !== file) return text;
    expect(change(text)).not.toBe(text);
    return change(text);
  };
}

test('the digest of the tables is that of this release: node scripts/write-compiled-tables.ts makes it again', () => {
  expect(kept).toBe(compiledTables());
});

test.each([
  ['a molar mass of an analyte', 'src/model-catalog/analytes.ts', /\d+\.\d+/, '1.5'],
  ['a sentence of a card', 'src/entrances/cds-hooks/card.ts', /'([^'\n]{4,})'/g, "'another $1'"],
  [
    'what a contribution is measured against',
    'src/results/contribution-method.ts',
    /the reference person of the model/g,
    'nobody',
  ],
  ['the word for an input that was assumed', 'src/results/input-text.ts', /assumed: nothing recorded/, 'observed'],
  ['the signature of a card', 'src/entrances/cds-hooks/signature.ts', /, as of /, ', until '],
  ['a remark of a result', 'src/results/remarks.ts', /not verified by a person/, 'verified'],
])('%s that changes makes it another', (_, file, pattern, text) => {
  expect(compiledTables(changed(file, (source) => source.replace(pattern, text)))).not.toBe(kept);
});

test.each(decidedFolders)('of every file of %s it is decided whether its sentences are in the digest', (folder) => {
  const there = readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`);
  const decided = [...tableFiles, ...wordlessFiles].filter((file) => path.dirname(file) === folder);
  expect(decided.toSorted()).toEqual(there.toSorted());
});

test('a comment that changes does not', () => {
  const read = changed('src/model-catalog/analytes.ts', (source) => `/** Another comment. */\n${source}`);
  expect(compiledTables(read)).toBe(kept);
});

test('other tables make another version of the same files', () => {
  expect(digestWithTables('files', 'tables')).not.toBe(digestWithTables('files', 'other tables'));
});
