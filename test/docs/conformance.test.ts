import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderConformance } from '../../scripts/conformance/render-conformance.ts';
import { requirements } from '../../scripts/conformance/requirements.ts';
import { root } from '../support/fhirsight-process.ts';

/** Numbers that stand in the name of a test; `CDS-60 to CDS-63` and `CDS-60..63` name all between. */
function numbersInNames(): Set<string> {
  const files = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' });
  const named = new Set<string>();
  for (const file of files.filter((each) => each.endsWith('.test.ts'))) {
    const source = readFileSync(path.join(root, 'test', file), 'utf8');
    for (const [, name = ''] of source.matchAll(/\b(?:it|test|describe)(?:\.each\([^;]*?\))?\(\s*[`'"]([^\n]*)/g))
      for (const number of numbersOf(name)) named.add(number);
    // The rows of a table of tests are named by their first text.
    for (const [, name = ''] of source.matchAll(/['`"]((?:CDS|OP|RA|OB|DEV|PRV|AUD|AIT|SM)-\d[^'`"\n]* [^\n]*)/g))
      for (const number of numbersOf(name)) named.add(number);
  }
  return named;
}

function numbersOf(name: string): string[] {
  return [...name.matchAll(/\b([A-Z]{2,4})-(\d+)(a?)(?:(?: to |\.\.+)(?:[A-Z]{2,4}-)?(\d+))?/g)].flatMap(
    ([, kind = '', first = '', letter = '', last = first]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, step) => `${kind}-${Number(first) + step}${letter}`),
  );
}

describe('docs/conformance.md', () => {
  it('is what scripts/write-conformance.ts writes', () => {
    expect(readFileSync(path.join(root, 'docs/conformance.md'), 'utf8')).toBe(renderConformance());
  });

  it('has every number once', () => {
    const ids = requirements.map(({ id }) => id);

    expect(ids).toEqual([...new Set(ids)]);
    expect(ids).toHaveLength(135);
  });

  it('says why a number does not apply, or a test has the number in its name', () => {
    const named = numbersInNames();
    const open = requirements.filter(({ id, notApplicable }) => notApplicable === undefined && !named.has(id));

    expect(open.map(({ id, says }) => `${id}: ${says}`)).toEqual([]);
  });
});
