import type { Observation } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { readAssertedInputs } from '../../src/features/asserted-input.ts';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { FeatureValue, SequenceSteps } from '../../src/features/feature-vector.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition, SequenceDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { observation } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

const pulse = (parts: Partial<SequenceDefinition> = {}): SequenceDefinition => ({
  kind: 'sequence',
  label: 'Pulse',
  unit: '/min',
  codes: ['http://loinc.org|8867-4'],
  step: 'PT1H',
  steps: 6,
  each: 'last',
  fill: { limit: 2 },
  empty: { value: 77, since: 9, source: 'test' },
  atLeast: 1,
  plausible: [20, 300],
  missing: 'abstain',
  ...parts,
});
const perMin = (value: number, code = '/min') => ({ value, unit: code, code, system: 'http://unitsofmeasure.org' });
/** At a time of the day of as-of, which is 2026-03-01T12:00:00Z. */
const at = (time: string, value: number, parts: Partial<Observation> = {}) =>
  observation('8867-4', perMin(value), `2026-03-01T${time}Z`, parts);

function stepsOf(value: FeatureValue): SequenceSteps {
  if (value.state !== 'derived' || value.steps === undefined) throw new Error(`no sequence: ${JSON.stringify(value)}`);
  return value.steps;
}

describe('a sequence', () => {
  it('has a value, a mask and the bins since for each bin, the oldest first', () => {
    const read = extractOne(pulse(), [at('06:30:00', 61), at('07:30:00', 62), at('11:30:00', 66)]);
    expect(stepsOf(read)).toEqual({
      value: [61, 62, 62, 62, 77, 66],
      mask: [1, 1, 0, 0, 0, 1],
      since: [0, 0, 1, 2, 3, 0],
    });
    expect(read).toMatchObject({
      state: 'derived',
      value: 3,
      at: '2026-03-01T11:30:00Z',
      detail: 'measured in 3 of 6 bins of 1 hour before as-of; 2 filled, 1 empty',
    });
    expect(read.sources).toHaveLength(3);
  });

  it('takes what the training took where there was no measurement yet', () => {
    expect(stepsOf(extractOne(pulse(), [at('11:30:00', 66)]))).toEqual({
      value: [77, 77, 77, 77, 77, 66],
      mask: [0, 0, 0, 0, 0, 1],
      since: [9, 9, 9, 9, 9, 0],
    });
  });

  it('fills nothing where the map does not say so', () => {
    const { fill: _, ...bare } = pulse();
    expect(stepsOf(extractOne(bare, [at('08:30:00', 63)])).value).toEqual([77, 77, 63, 77, 77, 77]);
  });

  it.each([
    ['12:00:00', [77, 77, 77, 77, 77, 60]],
    ['12:00:01', undefined],
    ['11:00:01', [77, 77, 77, 77, 77, 60]],
    ['11:00:00', [77, 77, 77, 77, 60, 60]],
    ['06:00:01', [60, 60, 60, 77, 77, 77]],
    ['06:00:00', undefined],
    ['05:59:59', undefined],
  ])('puts a measurement at %s into the bin that ends then or next, never beyond as-of', (time, expected) => {
    const read = extractOne(pulse(), [at(time, 60)]);
    if (expected === undefined) expect(read).toMatchObject({ state: 'missing', because: 'not-found' });
    else expect(stepsOf(read).value).toEqual(expected);
  });

  it.each([
    ['last', 80],
    ['mean', 70],
    ['min', 50],
    ['max', 80],
  ] as const)('makes the %s of the measurements of one bin, in any order of the record', (each, expected) => {
    const some = [at('11:10:00', 50), at('11:50:00', 80), at('11:30:00', 80)];
    for (const resources of [some, some.toReversed()])
      expect(stepsOf(extractOne(pulse({ each }), resources)).value.at(-1)).toBe(expected);
  });

  it('has bins of days and minutes too', () => {
    const daily = pulse({ step: 'P1D', steps: 2, fill: { limit: 1 } });
    const yesterday = observation('8867-4', perMin(70), '2026-02-28T12:00:00Z');
    expect(stepsOf(extractOne(daily, [yesterday])).mask).toEqual([1, 0]);
    expect(stepsOf(extractOne(pulse({ step: 'PT30M' }), [at('11:20:00', 70)])).mask).toEqual([0, 0, 0, 0, 1, 0]);
  });

  it('converts the unit of each measurement, and reads components and texts as an observation does', () => {
    const perSecond = observation('8867-4', perMin(1, '/s'), '2026-03-01T11:30:00Z');
    expect(stepsOf(extractOne(pulse(), [perSecond])).value.at(-1)).toBe(60);
    const component = { panels: ['http://loinc.org|85353-1'], codes: ['http://loinc.org|8867-4'] };
    const panel = observation('85353-1', undefined, '2026-03-01T11:30:00Z', {
      component: [{ code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, valueString: '71 /min' }],
    });
    expect(stepsOf(extractOne(pulse({ component, strings: 'numbers' }), [panel])).value.at(-1)).toBe(71);
  });

  it('reads the unit texts of the site, and says so', () => {
    const localUnits = { site: 'the site file (1)', units: { bpm: '/min' } };
    const local = observation('8867-4', { value: 70, unit: 'bpm' }, '2026-03-01T11:30:00Z');
    expect(extractOne(pulse({ localUnits }), [local])).toMatchObject({
      detail:
        'measured in 1 of 6 bins of 1 hour before as-of; 0 filled, 5 empty; local unit bpm read as /min by the site file (1)',
    });
    expect(extractOne(pulse(), [local])).toMatchObject({ because: 'unit-unknown' });
  });

  it.each([
    ['a unit is missing', [observation('8867-4', { value: 70 }, '2026-03-01T08:30:00Z')], 'unit-missing'],
    ['one is implausible', [at('08:30:00', 700)], 'implausible'],
    [
      'one is a limit',
      [observation('8867-4', { ...perMin(70), comparator: '>' }, '2026-03-01T08:30:00Z')],
      'comparator',
    ],
    ['two values stand at one instant', [at('08:30:00', 70), at('08:30:00', 71)], 'conflict'],
    ['one has a day for a time', [observation('8867-4', perMin(70), '2026-03-01')], 'time-unknown'],
    ['one has a month for a time', [observation('8867-4', perMin(70), '2026-03')], 'time-unknown'],
    ['the status of one is unknown', [at('08:30:00', 70, { status: 'unknown' })], 'undecodable'],
    [
      'one carries an unknown modifier',
      [at('08:30:00', 70, { modifierExtension: [{ url: 'http://m' }] })],
      'undecodable',
    ],
  ])('is missing as a whole where %s, whatever the other bins hold', (_, resources, because) => {
    const good = at('11:30:00', 66);
    for (const record of [
      [good, ...resources],
      [...resources, good],
    ])
      expect(extractOne(pulse(), record)).toMatchObject({ state: 'missing', because });
  });

  it('is missing where one does not say when it was measured', () => {
    const { effectiveDateTime: _, ...untimed } = at('08:30:00', 70);
    expect(extractOne(pulse(), [at('11:30:00', 66), untimed as Observation])).toMatchObject({
      because: 'time-unknown',
    });
  });

  it('places a day in a bin that holds the whole day, and in no other', () => {
    const daily = pulse({ step: 'P1D', steps: 3, fill: { limit: 1 } });
    const day = [observation('8867-4', perMin(70), '2026-02-27')];
    expect(extractOne(daily, day)).toMatchObject({ because: 'time-unknown' });
    expect(stepsOf(extractOne(daily, day, { asOf: '2026-02-28T23:59:59.999Z' })).mask).toEqual([0, 1, 0]);
  });

  it('counts one measurement that is given twice once', () => {
    const read = extractOne(pulse({ each: 'mean' }), [at('11:10:00', 50), at('11:10:00', 50), at('11:40:00', 80)]);
    expect(stepsOf(read).value.at(-1)).toBe(65);
  });

  it('sees nothing that was issued only after as-of, preliminary, or about somebody else', () => {
    for (const parts of [
      { issued: '2026-03-01T12:30:00Z' },
      { status: 'preliminary' as const },
      { status: 'entered-in-error' as const },
      { focus: [{ reference: 'Patient/2' }] },
    ])
      expect(stepsOf(extractOne(pulse(), [at('11:30:00', 66), at('11:40:00', 99, parts)])).value.at(-1)).toBe(66);
  });

  it('is too few where fewer bins hold a measurement than the map asks for, though filled ones would do', () => {
    expect(extractOne(pulse({ atLeast: 2 }), [at('08:10:00', 60), at('08:40:00', 61)])).toMatchObject({
      because: 'too-few',
      detail: 'Pulse was measured in 1 of 6 bins of 1 hour before as-of; at least 2 are needed',
    });
  });

  it('does not depend on the zone of the site', () => {
    const resources = [at('06:30:00', 61), at('11:30:00', 66)];
    const [one, other] = ['UTC', 'Asia/Kolkata'].map((timeZone) => extractOne(pulse(), resources, { timeZone }));
    expect(one?.state === 'derived' && one.steps).toEqual(other?.state === 'derived' && other.steps);
  });

  it('asks for as much of the record as its grid is long', () => {
    const asOf = new Date('2026-03-01T12:00:00Z');
    const queries = recordQueries({ language: 1, features: { pulse: pulse() }, population: noPopulation }, asOf, []);
    expect(queries).toMatchObject([
      { type: 'Observation', codes: ['http://loinc.org|8867-4'], since: new Date('2026-03-01T06:00:00Z') },
    ]);
  });

  it('cannot be asserted', () => {
    const compiled = compileFeatureMap({ language: 1, features: { pulse: pulse() }, population: noPopulation });
    expect(() => readAssertedInputs([{ name: 'pulse', value: 60 }], compiled)).toThrow(
      "Input 'pulse' is a sequence of measurements over time; it cannot be asserted.",
    );
  });
});

describe('what a map says of a sequence', () => {
  const findingsOf = (features: Record<string, FeatureDefinition>, population = noPopulation) =>
    checkFeatureMap({ language: 1, features, population }, []).map(({ path, message }) => `${path} ${message}`);

  it.each([
    [{ step: 'PT0H' }, '/step must be longer than nothing'],
    [{ fill: { limit: 6 } }, '/fill/limit must be below the 6 bins of the grid'],
    [{ atLeast: 7 }, '/atLeast is more than the 6 bins of the grid'],
    [{ plausible: [3, 1] }, '/plausible the smallest value must be below the largest'],
    [{ codes: undefined }, ' needs codes, component or both'],
    [{ strings: { unit: 'mg', source: 'x' } }, '/strings/unit mg cannot be converted to /min'],
  ] as const)('%o', (parts, finding) => {
    const { codes, ...rest } = pulse(parts as unknown as Partial<SequenceDefinition>);
    const feature = codes === undefined ? rest : { codes, ...rest };
    expect(findingsOf({ a: feature })).toEqual([`/features/a${finding}`]);
  });

  it('is no number for arithmetic, a first-of, or a rule of the population', () => {
    const derived = { kind: 'derived', label: 'D', unit: '1', source: 'test' } as const;
    expect(findingsOf({ pulse: pulse(), twice: { ...derived, expression: ['*', 2, 'pulse'] } })).toEqual([
      '/features/twice/expression computes with pulse, which is a sequence and not one number',
    ]);
    const firstOf = {
      kind: 'first-of',
      label: 'F',
      unit: '/min',
      of: ['pulse', 'one'],
      passOver: ['not-found'],
    } as const;
    const one = { ...derived, unit: '/min', expression: 1 };
    expect(findingsOf({ pulse: pulse(), one, first: firstOf as unknown as FeatureDefinition })).toEqual([
      '/features/first/of names pulse, which is a sequence; only numbers and yes-or-no have a first',
    ]);
    const ranges = [{ feature: 'pulse', from: 1, to: 2 }];
    expect(findingsOf({ pulse: pulse() }, { ...noPopulation, ranges })).toEqual([
      '/population/ranges/0 needs a feature that is a number; pulse is a sequence',
    ]);
  });
});
