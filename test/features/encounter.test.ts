import type { Encounter } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { clinicalRecord } from '../../src/records/clinical-record.ts';
import { encounter, patient } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

const act = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const inpatient = { class: { system: act, code: 'IMP' } };
const stay = (start: string, end?: string, parts: Partial<Encounter> = {}) =>
  encounter(start, end, { ...inpatient, ...parts });

const going = { status: 'in-progress' as const };

const admissions = (parts: object = {}): FeatureDefinition => ({
  kind: 'encounter',
  label: 'Admissions',
  class: [`${act}|IMP`],
  window: 'P1Y',
  pick: 'count',
  ...parts,
});

/** Extracts one feature of a record with, or without, an encounter that the call is about. */
function extract(definition: FeatureDefinition, encounters: readonly Encounter[], index?: Encounter): FeatureValue {
  const subject = { tenant: 'default', base: 'http://127.0.0.1/fhir/R4', id: '1' };
  const someone = patient();
  const resources = [someone, ...encounters, ...(index === undefined ? [] : [index])];
  const record = clinicalRecord({
    subject,
    own: true,
    asOf: new Date('2026-03-01T12:00:00Z'),
    patient: someone,
    ...(index && { encounter: index }),
    entries: resources.map((resource) => ({ resource, from: 'source' })),
  });
  const compiled = compileFeatureMap({ language: 1, features: { feature: definition }, population: noPopulation });
  const input = { name: 'x', type: 'float64' as const, columns: [{ feature: 'feature' }] };
  const manifest = { tensors: { input, output: { name: 'y', type: 'float64' as const, columns: 1 } }, outcomes: [] };
  const value = extractFeatures(record, compiled, manifest, new Map(), 'UTC').features.get('feature');
  if (value === undefined) throw new Error('the feature was not extracted');
  return value;
}

describe('encounters of some classes', () => {
  const two = [stay('2025-06-01T08:00:00Z', '2025-06-05T08:00:00Z'), stay('2026-01-01', '2026-01-03')];

  it('are counted where they began in the window', () => {
    const others = [
      stay('2025-02-28T08:00:00Z', '2025-03-15T08:00:00Z'),
      stay('2026-03-02T08:00:00Z'),
      encounter('2026-01-10T08:00:00Z'),
    ];
    expect(extract(admissions(), [...two, ...others])).toMatchObject({ state: 'derived', value: 2, at: '2026-01-03' });
  });

  it('are dated alike in whatever order a caller sends them without ids', () => {
    const started = ['2026-02-20', '2026-02-20T08:00:00Z'].map((start) =>
      stay(start, undefined, { ...going, id: undefined }),
    );
    for (const order of [started, started.toReversed()])
      expect(extract(admissions(), order)).toMatchObject({ value: 2, at: '2026-02-20' });
  });

  it.each(['planned', 'cancelled', 'entered-in-error'] as const)('are not counted where they are %s', (status) => {
    expect(extract(admissions(), [...two, stay('2026-02-01', undefined, { status })])).toMatchObject({ value: 2 });
  });

  it('say how long ago the last one ended, and nothing has passed while one goes on', () => {
    const since = admissions({ pick: 'time-since', per: 'd' });
    const ended = stay('2026-02-01T08:00:00Z', '2026-02-27T12:00:00Z');
    expect(extract(since, [...two, ended])).toMatchObject({ value: 2, at: '2026-02-27T12:00:00Z' });
    expect(extract(since, [...two, stay('2026-02-27T12:00:00Z', undefined, going)])).toMatchObject({ value: 0 });
  });

  it('do not say how long ago one ended that is over and whose end is not known, or to the month only', () => {
    for (const vague of [stay('2025-10-01', '2025-11'), stay('2025-10-01')]) {
      expect(extract(admissions({ pick: 'time-since', per: 'd' }), [vague])).toMatchObject({ because: 'time-unknown' });
      expect(extract(admissions(), [vague])).toMatchObject({ value: 1 });
    }
  });

  it('leave out the encounter of the call where the map says so', () => {
    const index = stay('2026-02-27T12:00:00Z');
    expect(extract(admissions(), two, index)).toMatchObject({ value: 3 });
    expect(extract(admissions({ excludeIndex: true }), two, index)).toMatchObject({ value: 2 });
  });

  it('are looked for before the encounter of the call began, where that is the anchor', () => {
    const index = stay('2026-01-02T12:00:00Z');
    const anchored = admissions({ anchor: 'encounter-start', excludeIndex: true, window: 'P6M' });
    const later = stay('2026-02-01T08:00:00Z', '2026-02-02T08:00:00Z');
    expect(extract(anchored, [...two, later], index)).toMatchObject({ value: 1 });
  });

  it('are missing where the map asks for the encounter of the call and there is none', () => {
    for (const parts of [{ excludeIndex: true }, { anchor: 'encounter-start' }])
      expect(extract(admissions(parts), two)).toMatchObject({
        because: 'no-encounter',
        detail: 'Admissions: the call names no encounter',
      });
  });
});

describe('no encounter of a class', () => {
  it('is a reason, and 0 under the conditions of absence alone', () => {
    const counted = admissions({ absent: { assume: 0, encounterWithin: 'P2Y' } });
    expect(extract(admissions(), [])).toMatchObject({ because: 'not-found' });
    expect(extract(counted, [])).toMatchObject({ because: 'no-recent-encounter' });
    expect(extract(counted, [encounter('2026-01-10T08:00:00Z')])).toMatchObject({ state: 'assumed-absent', value: 0 });
  });
});

describe('an encounter that may count', () => {
  const sure = stay('2026-01-01T08:00:00Z', '2026-01-03T08:00:00Z');

  it.each([
    [
      'has a class of another system',
      stay('2026-02-01', undefined, { class: { system: 'http://x.example', code: '7' } }),
    ],
    ['has a class without a system', stay('2026-02-01', undefined, { class: { code: 'IMP' } })],
    ['has a class without a code', stay('2026-02-01', undefined, { class: { system: act, display: 'inpatient' } })],
    ['does not say when it began', stay('2026-02-01', undefined, { period: undefined })],
    ['began in a year that holds the beginning of the window', stay('2025')],
    ['began in the month of as-of', stay('2026-03')],
    [
      'carries an unknown modifier',
      stay('2026-02-01', undefined, { modifierExtension: [{ url: 'http://x.example/not' }] }),
    ],
    ['has a status that nobody knows', stay('2026-02-01', undefined, { status: 'unknown' })],
  ])('makes the count unknown where it %s', (_, doubtful) => {
    expect(extract(admissions(), [sure, doubtful])).toMatchObject({
      state: 'missing',
      because: 'undecodable',
      sources: [{ reference: `Encounter/${doubtful.id}` }],
    });
  });

  it('is not looked at where it began before the window for certain', () => {
    const old = stay('2024', undefined, { class: { code: 'IMP' } });
    expect(extract(admissions(), [sure, old])).toMatchObject({ value: 1 });
  });
});

describe('the beginning of the encounter of the call', () => {
  const anchored = admissions({ anchor: 'encounter-start', excludeIndex: true });
  const known = { absent: { assume: 0, encounterWithin: 'P2Y' } };

  it('is not guessed where it is a month', () => {
    const index = stay('2026-02', undefined, going);
    expect(extract({ ...anchored, ...known } as FeatureDefinition, [], index)).toMatchObject({
      because: 'undecodable',
    });
  });

  it('that has a day alone leaves open which stays of that day came before', () => {
    const index = stay('2026-02-09', undefined, going);
    const sameDay = stay('2026-02-09T01:00:00Z', '2026-02-09T05:00:00Z');
    expect(extract({ ...anchored, ...known } as FeatureDefinition, [sameDay], index)).toMatchObject({
      because: 'undecodable',
    });
    const dayBefore = stay('2026-02-08T01:00:00Z', '2026-02-08T05:00:00Z');
    expect(extract(anchored, [dayBefore], index)).toMatchObject({ value: 1 });
  });
});

describe('an end that was not known at as-of', () => {
  it('dates nothing, and is no end', () => {
    const coming = stay('2026-02-01T08:00:00Z', '2026-03-25T08:00:00Z');
    expect(extract(admissions(), [coming])).toMatchObject({ value: 1, at: '2026-02-01T08:00:00Z' });
    expect(extract(admissions({ pick: 'time-since', per: 'd' }), [coming])).toMatchObject({
      value: 0,
      at: '2026-02-01T08:00:00Z',
    });
  });

  it('is not a stay that goes on where it is the year of as-of', () => {
    const vague = stay('2026-01-01T08:00:00Z', '2026');
    expect(extract(admissions({ pick: 'time-since', per: 'd' }), [vague])).toMatchObject({ because: 'time-unknown' });
  });
});

describe('the length of the stay', () => {
  const length: FeatureDefinition = { kind: 'encounter', label: 'Length of stay', pick: 'length-of-stay', per: 'd' };

  it('is that of the encounter of the call, to its end or to as-of', () => {
    expect(extract(length, [], stay('2026-02-20T12:00:00Z', '2026-02-25T00:00:00Z'))).toMatchObject({ value: 4.5 });
    expect(extract(length, [], stay('2026-02-20T12:00:00Z', undefined, going))).toMatchObject({
      value: 9,
      at: '2026-02-20T12:00:00Z',
    });
  });

  it('is never below 0: an end on the day of the beginning is none before it, and an earlier one is a mistake', () => {
    expect(extract(length, [], stay('2026-02-20T10:00:00Z', '2026-02-20'))).toMatchObject({ value: 0 });
    expect(extract(length, [], stay('2026-02-20T10:00:00Z', '2026-02-16'))).toMatchObject({ because: 'time-unknown' });
    const since = admissions({ pick: 'time-since', per: 'd' });
    expect(extract(since, [stay('2026-02-20T10:00:00Z', '2020-02-16')])).toMatchObject({ because: 'time-unknown' });
  });

  it.each(['planned', 'unknown', 'cancelled'] as const)('is not that of an encounter that is %s', (status) => {
    expect(extract(length, [], stay('2026-02-20T10:00:00Z', undefined, { status }))).toMatchObject({
      because: 'undecodable',
    });
  });

  it('takes no notice of an end that was not known at as-of', () => {
    expect(extract(length, [], stay('2026-02-20T12:00:00Z', '2026-03-05T12:00:00Z'))).toMatchObject({ value: 9 });
  });

  it('is missing without an encounter, or without its beginning', () => {
    expect(extract(length, [stay('2026-02-20T12:00:00Z')])).toMatchObject({ because: 'no-encounter' });
    for (const vague of [stay('2026'), stay('2025-10'), stay('2025-10-01', '2025-11'), stay('2025-10-01')])
      expect(extract(length, [], vague)).toMatchObject({ because: 'time-unknown' });
  });
});

describe('the nights of the stay', () => {
  const count: FeatureDefinition = { kind: 'encounter', label: 'Nights', pick: 'nights' };
  const from = (start: string, end?: string, zone?: string) =>
    extractOne(count, [stay(start, end, end === undefined ? going : {})], {
      encounter: stay(start, end, end === undefined ? going : {}),
      ...(zone === undefined ? {} : { timeZone: zone }),
    });

  it('are the date of discharge minus the date of admission, whatever the hours', () => {
    expect(from('2026-02-16T18:00:00Z', '2026-02-21T11:00:00Z')).toMatchObject({ value: 5 });
    expect(from('2026-02-16T01:00:00Z', '2026-02-16T23:00:00Z')).toMatchObject({ value: 0 });
    expect(from('2026-02-16', '2026-02-21')).toMatchObject({ value: 5 });
    expect(from('2026-02-27T18:00:00Z')).toMatchObject({ value: 2 });
  });

  it('are those of the site, also where a clock change lies between', () => {
    expect(from('2026-02-16T23:30:00Z', '2026-02-17T01:00:00Z')).toMatchObject({ value: 1 });
    expect(from('2026-02-16T23:30:00Z', '2026-02-17T01:00:00Z', 'Europe/Berlin')).toMatchObject({ value: 0 });
    expect(from('2025-10-25T10:00:00Z', '2025-10-27T10:00:00Z', 'Europe/Berlin')).toMatchObject({ value: 2 });
  });

  it('are not known from months, nor where the end lies before the beginning', () => {
    expect(from('2026-02', '2026-02-21')).toMatchObject({ because: 'time-unknown' });
    expect(from('2026-02-16T18:00:00Z', '2026-02-10')).toMatchObject({ because: 'time-unknown' });
  });
});
