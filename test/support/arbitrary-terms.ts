import type { CodeableConcept } from '@medplum/fhirtypes';
import fc from 'fast-check';

/** What the generators of all types share: weights, times and codes. */

/** As-of of every generated record. */
export const asOf = new Date('2026-03-01T12:00:00Z');

export const subject = { reference: 'Patient/1' };
export const local = { system: 'http://example.org/local', code: 'X1', display: 'A local name' };

export const coded = (system: string, code: string, display?: string): CodeableConcept => ({
  coding: [{ system, code, ...(display === undefined ? {} : { display }) }],
});
export const terminology = (system: string) => (code: string) =>
  coded(`http://terminology.hl7.org/CodeSystem/${system}`, code);
/** `system|code` */
export const codingOf = (token: string): { system: string; code: string } => {
  const bar = token.indexOf('|');
  return { system: token.slice(0, bar), code: token.slice(bar + 1) };
};
/** A concept with one of the codes, alone or beside a local one. */
export const conceptOf = (tokens: readonly string[]): fc.Arbitrary<CodeableConcept> =>
  fc
    .tuple(fc.constantFrom(...tokens), mostly(4, [false], [true]))
    .map(([token, isBeside]) => ({ coding: [...(isBeside ? [local] : []), codingOf(token)] }));

/** Each with its weight. */
export const among = <T>(...choices: [weight: number, arbitrary: fc.Arbitrary<T>][]): fc.Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
export const mostly = <T>(weight: number, usual: readonly T[], rare: readonly T[]): fc.Arbitrary<T> =>
  among([weight, fc.constantFrom(...usual)], [1, fc.constantFrom(...rare)]);
/** One in so many is drawn, the others are undefined. */
export const seldom = <T>(oneIn: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  among([oneIn - 1, fc.constant<T | undefined>(undefined)], [1, arbitrary]);
export const under = (key: string, arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  arbitrary.map((value) => ({ [key]: value }));

/** The first two name one instant, the third is the day around it. */
const usualTimes = ['2026-02-20T08:00:00Z', '2026-02-20T10:00:00+02:00', '2026-02-20', '2025-11-05T07:30:00.250-05:00'];
/** On the day of as-of, and not far from each other. */
const todaysTimes = ['2026-03-01T08:00:00Z', '2026-03-01T03:10:00-05:00'];
const rareTimes = ['2026', '2026-03', '2026-02', '2025-11', '2024', '2022-05-05', '2026-03-01', '2026-03-01T12:00:00Z'];
const tooOld = ['2020-12-31T10:00:00Z', '2015'];
/** After as-of, to the second, the day, the month and the year, in every zone to the west of Kiritimati. */
export const futureInstants = ['2026-03-01T12:00:01Z', '2026-03-01T14:00:00.001+02:00', '2026-07-01T00:00:00-05:00'];
export const futureTimes = [...futureInstants, '2026-03-02', '2026-04', '2027'];
export const times = among(
  [5, fc.constantFrom(...usualTimes)],
  [2, fc.constantFrom(...todaysTimes)],
  [1, fc.constantFrom(...rareTimes, ...tooOld, ...futureTimes)],
);
export const instants = mostly(6, ['2026-02-20T09:00:00Z', '2025-11-06T07:30:00.250-05:00'], futureInstants);
export const periods = fc.tuple(times, seldom(2, times)).map(([start, end]) => ({ start, end }));
export const modifierExtension = seldom(40, fc.constant([{ url: 'http://example.org/not', valueBoolean: true }]));
export const lastUpdated = seldom(4, under('lastUpdated', instants));

/** Encounters that resources may name; see `namedEncounters` for those that there are. */
export const encounterReference = seldom(
  2,
  fc
    .constantFrom('index', 'index', 'part', 'clinic', 'wrong', 'nowhere')
    .map((id) => ({ reference: `Encounter/${id}` })),
);

/** A concept of the feature, one that is understood as another, or one that may be meant. */
export function conceptFor({
  codes,
  suspectText = [],
}: {
  readonly codes?: readonly string[];
  readonly suspectText?: readonly string[];
}): fc.Arbitrary<CodeableConcept | undefined> {
  const listed = codes ?? ['http://snomed.info/sct|71388002'];
  const systems = [...new Set(listed.map((token) => codingOf(token).system))];
  const [suspect = 'unknown'] = suspectText;
  const understood = systems.map((system) => coded(system, '1', 'Something else'));
  const unclear = [coded(systems[0] ?? '', '2', `Perhaps a ${suspect}`), coded(systems[0] ?? '', '3')];
  return among<CodeableConcept | undefined>(
    [7, conceptOf(listed)],
    [3, fc.constantFrom(...understood)],
    [1, fc.constantFrom(...unclear, { text: `${suspect}?` }, { coding: [local] }, undefined)],
  );
}
