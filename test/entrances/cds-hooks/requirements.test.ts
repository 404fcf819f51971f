import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { casesPresent, readCsv } from '../../support/cases.ts';
import { root } from '../../support/fhirsight-process.ts';
import { testNames } from '../../support/test-names.ts';
import { allRequirements } from './requirements/all-requirements.ts';
import type { NamedTest } from './requirements/requirement.ts';

const ids = allRequirements.flatMap((requirement) => requirement.ids);

/** The names of the tests of a file of `test/`, read once; none where the file is not there. */
const read = new Map<string, readonly string[]>();
function namesIn(file: string): readonly string[] {
  const place = path.join(root, 'test', `${file}.test.ts`);
  const names = read.get(file) ?? (existsSync(place) ? testNames(readFileSync(place, 'utf8'), place) : []);
  read.set(file, names);
  return names;
}

const isThere = ([file, name]: NamedTest): boolean => namesIn(file).some((known) => known.startsWith(name));

describe('what is known of the requirements of CDS Hooks 2.0', () => {
  it('rests on tests that are there', () => {
    const cited = allRequirements.flatMap((requirement) => ('tests' in requirement ? requirement.tests : []));

    expect(cited.filter((test) => !isThere(test))).toEqual([]);
  });

  it('rests on sections of the guides that are there', () => {
    const sections = allRequirements.flatMap((requirement) => ('section' in requirement ? requirement.section : []));

    for (const { page, heading } of sections)
      expect(readFileSync(path.join(root, page), 'utf8').split('\n')).toContain(heading);
  });

  it('is said once of each', () => {
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('would not rest on a test that is not there, is left out, or has another name', () => {
    const source = `
      it('is shown', () => {});
      it.skip('is left out', () => {});
      it.each([['one', 1], ...[2].map((n) => [\`row \${n}\`, n])])('refuses %s', () => {});`;

    expect(testNames(source, 'a.test.ts')).toEqual(['is shown', 'refuses %s', 'refuses one', 'refuses row …']);
    expect(isThere(['scenarios/nothing', 'CDS-1'])).toBe(false);
    expect(isThere(['scenarios/cds-hooks', 'CDS-1 lists no service'])).toBe(false);
  });
});

describe.runIf(casesPresent)('the list of the requirements of CDS Hooks 2.0', () => {
  const rows = casesPresent ? readCsv('cds_hooks/requirements-2.0.csv') : [];
  const row = (id: number): Record<string, string> => rows.find((each) => each['ID*'] === String(id)) ?? {};
  const idsOf = (kind: string): number[] =>
    allRequirements.filter((requirement) => requirement.kind === kind).flatMap((requirement) => requirement.ids);

  it('has a line for each, and no line is of another', () => {
    expect([...ids].sort((one, other) => one - other).map(String)).toEqual(rows.map((each) => each['ID*']));
    expect(rows).toHaveLength(220);
  });

  it('leaves nothing that it asks of services to clients, but five sentences that are about clients, and one that it counts no more', () => {
    const left = [...idsOf('not-ours'), ...idsOf('answered')].filter((id) => row(id)['Actors*'] !== 'Client');

    // They speak of what clients do with cards: take them away, sort them, show words of them.
    expect(left.sort((one, other) => one - other)).toEqual([78, 89, 129, 207, 212]);
  });

  it('has no duty among the options that are not taken, but those of what is never sent', () => {
    const unshown = allRequirements.filter(
      ({ kind, ...rest }) => kind === 'not-taken' && 'tests' in rest && rest.tests.length === 0,
    );

    expect(unshown.flatMap((requirement) => requirement.ids).map((id) => row(id)['Conformance*'])).toEqual([
      'MAY',
      'MAY',
    ]);
  });
});
