import type { Observation } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { AnswerDefinition, ObservationDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { observation } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

const crp = (parts: Partial<ObservationDefinition> = {}): ObservationDefinition => ({
  kind: 'observation',
  label: 'C-reactive protein',
  unit: 'mg/L',
  codes: ['http://loinc.org|1988-5'],
  window: 'P1Y',
  pick: 'latest',
  conversions: [{ from: 'mg/dL', factor: 10, source: 'test' }],
  plausible: [0.1, 1000],
  missing: 'abstain',
  ...parts,
});
const says = (value: Partial<Observation>) => [observation('1988-5', undefined, '2026-01-01T08:00:00Z', value)];
const text = (valueString: string) => says({ valueString });
const ucum = (value: number, code: string, unit = code) => ({ value, unit, code, system: 'http://unitsofmeasure.org' });

describe('a result written as text', () => {
  const declared = crp({
    strings: { unit: 'mg/L', source: 'laboratory manual' },
    limits: { '<': 'half', '>': 'limit' },
  });

  it('is no number where the map does not say that texts are', () => {
    expect(extractOne(crp(), text('5.4 mg/L'))).toMatchObject({ because: 'not-numeric' });
  });

  it.each([
    ['5.4', { value: 5.4 }],
    ['  5.4 ', { value: 5.4 }],
    ['5.4 mg/L', { value: 5.4 }],
    ['5.4mg/L', { value: 5.4 }],
    ['0.54 mg/dL', { value: 5.4, original: { value: 0.54, unit: 'mg/dL' } }],
    ['<3', { value: 1.5, original: { value: 3, unit: 'mg/L', comparator: '<' } }],
    ['> 60', { value: 60, original: { value: 60, unit: 'mg/L', comparator: '>' } }],
    ['< 0.3 mg/dL', { value: 1.5, original: { value: 0.3, unit: 'mg/dL', comparator: '<' } }],
  ])('%j is a number', (valueString, found) => {
    expect(extractOne(declared, text(valueString))).toMatchObject({ state: 'observed', ...found });
  });

  it.each([
    ['≤3', 'comparator'],
    ['<=3', 'comparator'],
    ['≥ 60', 'comparator'],
    ['5,4', 'not-numeric'],
    ['1,234', 'not-numeric'],
    ['1 234', 'unit-unknown'],
    ['+2', 'not-numeric'],
    ['2+', 'not-numeric'],
    ['1e5', 'unit-unknown'],
    ['05', 'not-numeric'],
    ['.5', 'not-numeric'],
    ['5.', 'not-numeric'],
    ['5-7', 'not-numeric'],
    ['120/80', 'not-numeric'],
    ['1:128', 'not-numeric'],
    ['5.4 H', 'unit-unknown'],
    ['5.4 mg/l', 'unit-unknown'],
    ['5.4 g/L', 'unit-unknown'],
    ['5.4 (haemolysed)', 'unit-unknown'],
    ['about 5.4', 'not-numeric'],
    ['negative', 'not-numeric'],
    ['NaN', 'not-numeric'],
    ['Infinity', 'not-numeric'],
    ['0x10', 'unit-unknown'],
    ['', 'not-numeric'],
    ['5400', 'implausible'],
    ['9'.repeat(400), 'not-numeric'],
  ])('%j is never guessed at: %s', (valueString, because) => {
    expect(extractOne(declared, text(valueString))).toMatchObject({ state: 'missing', because });
  });

  it('without a unit has none where the map declares only that texts are numbers', () => {
    const numbers = crp({ strings: 'numbers' });
    expect(extractOne(numbers, text('5.4'))).toMatchObject({ because: 'unit-missing' });
    expect(extractOne(numbers, text('5.4 mg/L'))).toMatchObject({ value: 5.4 });
  });

  it('as a limit is a reason where the map does not say what limits stand for', () => {
    expect(extractOne(crp({ strings: 'numbers' }), text('<3 mg/L'))).toMatchObject({ because: 'comparator' });
  });

  it('is a conflict beside another quantity of that time', () => {
    const both = [...text('5.4'), ...says({ valueQuantity: ucum(6, 'mg/L') })];
    expect(extractOne(declared, both)).toMatchObject({ because: 'conflict' });
  });

  it('that is said to be absent, or stands beside another value, is not read', () => {
    const dataAbsentReason = { text: 'unknown' };
    expect(extractOne(declared, says({ valueString: '5.4', dataAbsentReason }))).toMatchObject({
      because: 'undecodable',
    });
    expect(extractOne(declared, says({ valueString: '5.4', valueInteger: 7 }))).toMatchObject({
      because: 'undecodable',
    });
  });

  it('counts in a component and in a summary too', () => {
    const component = { panels: ['http://loinc.org|p'], codes: ['http://loinc.org|1988-5'] };
    const code = { coding: [{ system: 'http://loinc.org', code: '1988-5' }] };
    const part = observation('p', undefined, '2026-01-02', { component: [{ code, valueString: '4.6 mg/L' }] });
    expect(extractOne({ ...declared, component }, [part])).toMatchObject({ value: 4.6 });
    expect(extractOne({ ...declared, component, pick: 'mean' }, [part, ...text('5.4')])).toMatchObject({ value: 5 });
    expect(extractOne({ ...declared, component, pick: 'mean' }, [part, ...text('n/a')])).toMatchObject({
      because: 'not-numeric',
    });
  });
});

describe('a result that is an integer', () => {
  const gcs = (parts: Partial<ObservationDefinition> = {}) => crp({ unit: '{score}', conversions: [], ...parts });
  it('has the unit that the map declares, and none elsewhere', () => {
    expect(extractOne(gcs(), says({ valueInteger: 15 }))).toMatchObject({ because: 'not-numeric' });
    const integers = { unit: '{score}', source: 'Glasgow Coma Scale' };
    expect(extractOne(gcs({ integers }), says({ valueInteger: 15 }))).toMatchObject({ value: 15 });
    expect(extractOne(gcs({ integers }), says({ valueInteger: 0 }))).toMatchObject({ because: 'implausible' });
  });
});

describe('a result that is a ratio', () => {
  const uacr = (parts: Partial<ObservationDefinition> = {}) =>
    crp({ unit: 'mg/g', conversions: [], analyte: 'urine-albumin-creatinine-ratio', ratios: 'quotient', ...parts });
  const ratio = (numerator: object, denominator: object) => says({ valueRatio: { numerator, denominator } });

  it('is no number where the map does not say so', () => {
    expect(extractOne(crp(), ratio(ucum(3, 'mg'), ucum(1, 'L')))).toMatchObject({ because: 'not-numeric' });
  });

  it.each([
    [ucum(30, 'mg'), ucum(1, 'g'), 30],
    [ucum(60, 'mg'), ucum(2, 'g'), 30],
    [ucum(30, 'ug', 'µg'), ucum(1, 'mg'), 30],
    [ucum(3, 'mg'), ucum(1, 'mmol'), 26.52],
  ])('is its numerator by its denominator, in their units: %o by %o', (numerator, denominator, value) => {
    const found = extractOne(uacr(), ratio(numerator, denominator));
    expect(found).toMatchObject({ state: 'observed', value: expect.closeTo(value, 10) });
  });

  it('keeps a limit of the numerator as one of the whole', () => {
    const limited = ratio({ ...ucum(3, 'mg'), comparator: '<' }, ucum(1, 'mmol'));
    expect(extractOne(uacr(), limited)).toMatchObject({ because: 'comparator' });
    expect(extractOne(uacr({ limits: { '<': 'limit' } }), limited)).toMatchObject({
      value: expect.closeTo(26.52, 10),
      original: { value: 3, unit: 'mg/mmol', comparator: '<' },
    });
  });

  it.each([
    ['a limit below the line', ucum(3, 'mg'), { ...ucum(1, 'g'), comparator: '<' }, 'comparator'],
    ['nothing below the line', ucum(3, 'mg'), ucum(0, 'g'), 'not-numeric'],
    ['a negative denominator', ucum(3, 'mg'), ucum(-1, 'g'), 'not-numeric'],
    ['no number above', { unit: 'mg' }, ucum(1, 'g'), 'not-numeric'],
    ['a side without a unit', { value: 3 }, ucum(1, 'g'), 'unit-missing'],
    ['a side with a text for a unit', { value: 3, unit: 'mg' }, ucum(1, 'g'), 'unit-unknown'],
    ['a unit of another system', { ...ucum(3, 'mg'), system: 'http://x' }, ucum(1, 'g'), 'unit-unknown'],
    ['a text that contradicts its code', ucum(3, 'mg', 'g'), ucum(1, 'g'), 'unit-contradictory'],
    ['another quantity', ucum(3, 'mg'), ucum(1, 'L'), 'unconvertible'],
  ])('with %s is a reason', (_, numerator, denominator, because) => {
    const limits = { '<': 'limit' } as const;
    expect(extractOne(uacr({ limits }), ratio(numerator, denominator))).toMatchObject({ because });
  });

  it('divides by the whole of a unit that is itself a quotient', () => {
    const cleared = crp({ unit: 's', conversions: [], ratios: 'quotient' });
    expect(extractOne(cleared, ratio(ucum(10, 'mL'), ucum(2, 'mL/s')))).toMatchObject({ value: 5 });
  });

  it('is a titer where the map says so: what stands after 1', () => {
    const titer = crp({ unit: '{titer}', conversions: [], ratios: 'titer', plausible: [1, 100000] });
    expect(extractOne(titer, ratio({ value: 1 }, { value: 128 }))).toMatchObject({ value: 128 });
    for (const [above, below, because] of [
      [{ value: 2 }, { value: 128 }, 'not-numeric'],
      [{ value: 1 }, { value: 0 }, 'not-numeric'],
      [{ value: 1 }, {}, 'not-numeric'],
      [{ value: 1 }, { value: 8, comparator: '<' }, 'comparator'],
      [{ value: 1, comparator: '<' }, { value: 8 }, 'comparator'],
      [ucum(1, 'mg'), ucum(128, 'g'), 'unit-unknown'],
    ] as const)
      expect(extractOne({ ...titer, limits: { '<': 'limit' } }, ratio(above, below))).toMatchObject({ because });
    expect(extractOne({ ...titer, ratios: 'quotient' }, ratio({ value: 1 }, { value: 128 }))).toMatchObject({
      because: 'unit-missing',
    });
  });
});

describe('a result that no map can read as a number', () => {
  it.each([
    { valueRange: { low: ucum(1, 'mg/L'), high: ucum(2, 'mg/L') } },
    { valueSampledData: { origin: ucum(0, 'mg/L'), period: 10, dimensions: 1, data: '5' } },
    { valueBoolean: true },
    { valueDateTime: '2026-01-01' },
    { valueCodeableConcept: { text: '5.4' } },
  ] as const)('is a reason: %o', (value) => {
    const all = crp({ strings: 'numbers', integers: { unit: 'mg/L', source: 'test' }, ratios: 'quotient' });
    expect(extractOne(all, says(value as Partial<Observation>))).toMatchObject({ because: 'not-numeric' });
  });
});

const smoker = (parts: Partial<AnswerDefinition> = {}): AnswerDefinition => ({
  kind: 'answer',
  label: 'Smoker',
  codes: ['http://loinc.org|1988-5'],
  window: 'P1Y',
  pick: 'latest',
  missing: 'abstain',
  ...parts,
});

describe('an answer that is true or false', () => {
  const coded = { yes: ['http://x|y'], no: ['http://x|n'] };

  it('is a yes or a no as the map declares it, and a reason where it does not', () => {
    expect(extractOne(smoker({ trueMeans: 'yes' }), says({ valueBoolean: true }))).toMatchObject({ value: true });
    expect(extractOne(smoker({ trueMeans: 'yes' }), says({ valueBoolean: false }))).toMatchObject({ value: false });
    expect(extractOne(smoker({ trueMeans: 'no' }), says({ valueBoolean: true }))).toMatchObject({ value: false });
    expect(extractOne(smoker(coded), says({ valueBoolean: false }))).toMatchObject({ because: 'undecodable' });
  });

  it('conflicts with a code of that time that says otherwise', () => {
    const both = [
      ...says({ valueBoolean: true }),
      ...says({ valueCodeableConcept: { coding: [{ system: 'http://x', code: 'n' }] } }),
    ];
    expect(extractOne(smoker({ ...coded, trueMeans: 'yes' }), both)).toMatchObject({ because: 'conflict' });
  });

  it('is one value or none', () => {
    const valueCodeableConcept = { coding: [{ system: 'http://x', code: 'y' }] };
    const two = says({ valueBoolean: true, valueCodeableConcept });
    expect(extractOne(smoker({ ...coded, trueMeans: 'yes' }), two)).toMatchObject({ because: 'undecodable' });
  });
});

describe('what a map says of the forms of a value', () => {
  const findingsOf = (feature: ObservationDefinition | AnswerDefinition) =>
    checkFeatureMap({ language: 1, features: { feature }, population: noPopulation }, []).map(
      ({ path, message }) => `${path} ${message}`,
    );
  const source = 'test';
  it.each([
    [{ strings: { unit: 'mg/dL', source } }, undefined],
    [{ strings: { unit: 'g/L', source } }, undefined],
    [{ strings: { unit: 'mmol/L', source } }, '/features/feature/strings/unit mmol/L cannot be converted to mg/L'],
    [{ strings: { unit: 'mgs', source } }, '/features/feature/strings/unit mgs is no UCUM unit'],
    [{ integers: { unit: '1', source } }, '/features/feature/integers/unit 1 cannot be converted to mg/L'],
    [
      { ratios: 'titer' },
      '/features/feature/ratios a titer has no unit but 1 or an annotation such as {titer}, not mg/L',
    ],
  ] as const)('%o', (parts, finding) => {
    expect(findingsOf(crp(parts as Partial<ObservationDefinition>))).toEqual(finding === undefined ? [] : [finding]);
  });

  it('an answer needs both lists, or what true means', () => {
    expect(findingsOf(smoker())).toEqual(['/features/feature needs yes and no, trueMeans or yesAbove']);
    expect(findingsOf(smoker({ yes: ['http://x|y'], trueMeans: 'yes' }))).toEqual([
      '/features/feature needs both yes and no, or neither',
    ]);
  });
});
