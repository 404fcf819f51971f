import { describe, expect, it } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { missingReasons } from '../../src/features/feature-vector.ts';
import { inputRow } from '../../src/inference/score.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { absenceReasons } from '../../src/model-catalog/lint/check-missing-reasons.ts';
import { mgPerDl, observation, patient } from '../support/build-record.ts';
import { extractAll, noPopulation } from '../support/extract-one.ts';

type Measured = Extract<FeatureDefinition, { kind: 'observation' }>;
const measured = (code: string, missing: Measured['missing'], label = code): Measured => ({
  kind: 'observation',
  label,
  unit: 'mg/dL',
  codes: [`http://loinc.org|${code}`],
  window: 'P1Y',
  pick: 'latest',
  plausible: [0.5, 20],
  missing,
});
const indicate = { because: ['not-found'], value: 1, source: 'the publication' };
const nan = { because: ['not-found'], source: 'the training code' };
const taken = '2026-01-01T08:00:00Z';
const phosphate = (value: number) => observation('2777-1', mgPerDl(value), taken);
const calcium = (value: number) => observation('17861-6', mgPerDl(value), taken);
const verdictOf = (inputs: ReturnType<typeof extractAll>) => inputs.verdicts.get('outcome');

describe('a feature that the model was trained without', () => {
  const features = { phosphate: measured('2777-1', { indicate }, 'Phosphate') };

  it('stays missing, says what the model is given, and does not silence the model', () => {
    const inputs = extractAll(features, []);
    expect(inputs.features.get('phosphate')).toEqual({
      state: 'missing',
      because: 'not-found',
      detail: 'no Phosphate within 1 year before as-of; given to the model as missing: the publication',
      given: { as: 'indicator', value: 1 },
      sources: [],
    });
    expect(verdictOf(inputs)).toEqual({ state: 'score' });
  });

  it('is given as its value where there is one', () => {
    expect(extractAll(features, [phosphate(3)]).features.get('phosphate')).toMatchObject({
      state: 'observed',
      value: 3,
    });
    const asserted = new Map<string, FeatureValue>([['phosphate', { state: 'asserted', value: 5, sources: [] }]]);
    expect(extractAll(features, [], { asserted }).features.get('phosphate')).toMatchObject({ state: 'asserted' });
  });

  it.each([
    ['unit-missing', [observation('2777-1', { value: 3 }, taken)]],
    ['conflict', [phosphate(3), phosphate(4)]],
    ['implausible', [phosphate(300)]],
  ] as const)('is never taken for unmeasured because of a value that is there: %s', (because, resources) => {
    const inputs = extractAll(features, resources);
    const value = inputs.features.get('phosphate');
    expect(value).toMatchObject({ state: 'missing', because });
    expect(value).not.toHaveProperty('given');
    expect(verdictOf(inputs)).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: `phosphate:${because}` }],
    });
  });

  it('is not measured against the range of the population, which a value still is', () => {
    const population = { ...noPopulation, ranges: [{ feature: 'phosphate', from: 2, to: 5 }] };
    expect(verdictOf(extractAll(features, [], { population }))).toEqual({ state: 'score' });
    expect(verdictOf(extractAll(features, [phosphate(6)], { population }))).toMatchObject({ state: 'out-of-range' });
  });

  it('is no input of arithmetic: what is made of it is missing, and the constant is no value', () => {
    const product: FeatureDefinition = {
      kind: 'derived',
      label: 'Product',
      unit: 'mg/dL',
      expression: ['*', 'phosphate', 2],
      source: 'test',
    };
    const inputs = extractAll({ ...features, product }, []);
    expect(inputs.features.get('product')).toMatchObject({ state: 'missing', because: 'input-missing' });
    expect(verdictOf(inputs)).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: 'phosphate:not-found' }],
    });
  });

  it('refuses a reason that does not exist', () => {
    const wrong = { phosphate: measured('2777-1', { nan: { ...nan, because: ['unfound'] } }) };
    expect(() => extractAll(wrong, [])).toThrow("'unfound' is no reason to be missing");
  });
});

describe('a feature made of others', () => {
  const product: FeatureDefinition = {
    kind: 'derived',
    label: 'Product',
    unit: 'mg2/dL2',
    expression: ['*', 'phosphate', 'calcium'],
    source: 'test',
    missing: { indicate },
  };
  const first: FeatureDefinition = {
    kind: 'first-of',
    label: 'Either',
    unit: 'mg/dL',
    of: ['phosphate', 'calcium'],
    passOver: ['not-found', 'comparator'],
    missing: { indicate },
  };
  const parts = { phosphate: measured('2777-1', 'abstain'), calcium: measured('17861-6', 'abstain') };
  const limit = observation('17861-6', { ...mgPerDl(9), comparator: '<' }, taken);

  it('is missing on purpose only where each that is missing behind it is, for a listed reason', () => {
    const columns = ['product'];
    const made = { product, ...parts };
    expect(verdictOf(extractAll(made, [], { columns }))).toEqual({ state: 'score' });
    expect(verdictOf(extractAll(made, [calcium(9)], { columns }))).toEqual({ state: 'score' });
    const doubt = extractAll(made, [limit], { columns });
    expect(doubt.features.get('product')).not.toHaveProperty('given');
    expect(verdictOf(doubt)).toMatchObject({ state: 'insufficient-data' });
  });

  it('does not hide a doubt that was passed over', () => {
    const columns = ['first'];
    expect(verdictOf(extractAll({ first, ...parts }, [], { columns }))).toEqual({ state: 'score' });
    expect(verdictOf(extractAll({ first, ...parts }, [limit], { columns }))).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: 'phosphate:not-found' }, { reason: 'calcium:comparator' }],
    });
  });

  it('has no share in what the model is given for one of them', () => {
    const { missing: _, ...plain } = first;
    const onlyNewest: FeatureDefinition = { ...plain, passOver: ['conflict'] };
    const inputs = extractAll(
      { first: onlyNewest, ...parts, phosphate: measured('2777-1', { indicate }) },
      [calcium(9)],
      { columns: ['first'] },
    );
    expect(inputs.features.get('phosphate')).toHaveProperty('given');
    expect(inputs.features.get('first')).not.toHaveProperty('given');
    expect(verdictOf(inputs)).toMatchObject({ state: 'insufficient-data' });
  });
});

describe('a value imputed by another feature', () => {
  const sex: FeatureDefinition = {
    kind: 'demographics',
    label: 'Sex',
    element: 'sex',
    vocabulary: { female: ['female'], male: ['male'] },
  };
  const bySex = (code: string, value: number) => ({
    because: ['not-found'],
    when: { feature: 'sex', equals: code },
    value,
    source: `median of ${code} in the training set`,
  });
  const always = { because: ['not-found'], value: 9, source: 'median' };
  // The feature that decides stands after the one it decides about.
  const features = { phosphate: measured('2777-1', { impute: [bySex('female', 3), bySex('male', 4), always] }), sex };
  const population = { ...noPopulation, mostImputed: 1 };
  const phosphateOf = (gender: 'female' | 'male' | 'other' | undefined) =>
    extractAll(features, [patient(gender === undefined ? { gender: undefined } : { gender })], {
      population,
      columns: ['phosphate'],
    });

  it.each([
    ['female', 3],
    ['male', 4],
  ] as const)('is that of the rule for the subject: %s, %d', (gender, value) => {
    expect(phosphateOf(gender).features.get('phosphate')).toMatchObject({
      state: 'imputed',
      value,
      detail: expect.stringContaining(`imputed: median of ${gender} in the training set`),
    });
  });

  it.each(['other', undefined] as const)('is none where it is not known which rule holds: %s', (gender) => {
    const inputs = phosphateOf(gender);
    expect(inputs.features.get('phosphate')).toMatchObject({
      state: 'missing',
      because: 'not-found',
      detail: expect.stringContaining('not imputed, for sex is missing'),
    });
    expect(verdictOf(inputs)).toMatchObject({ state: 'insufficient-data' });
  });
});

describe('a row of the input tensor', () => {
  const missing: FeatureValue = {
    state: 'missing',
    because: 'not-found',
    detail: 'none',
    given: { as: 'indicator', value: 100 },
    sources: [],
  };
  const indicator = { feature: 'a', indicator: 'missing' } as const;
  const logarithm = { feature: 'a', transform: [{ log: 'log10' as const }] };

  it('holds 1 and the constant, as its column transforms it, for a value that is missing on purpose', () => {
    expect(inputRow([{ feature: 'a' }, logarithm, indicator], new Map([['a', missing]]))).toEqual([100, 2, 1]);
  });

  it('holds 0 in the indicator of every value that is there', () => {
    for (const value of [0, 1, false, true, 'code'])
      expect(inputRow([indicator], new Map([['a', { state: 'asserted', value, sources: [] }]]))).toEqual([0]);
  });

  it('holds NaN whatever the transform: no bin takes it for a small value', () => {
    const given = { ...missing, given: { as: 'nan' } } as FeatureValue;
    const columns = [logarithm, { feature: 'a', transform: [{ bins: [1, 2] }] }, { feature: 'a' }, indicator];
    expect(inputRow(columns, new Map([['a', given]]))).toEqual([Number.NaN, Number.NaN, Number.NaN, 1]);
  });

  it('is none without a policy for the value that is missing', () => {
    const { given: _, ...unknown } = missing;
    expect(() => inputRow([indicator], new Map([['a', unknown]]))).toThrow('Column a has no value');
  });
});

it('every reason that lint takes for an absence is a reason', () => {
  for (const reason of absenceReasons) expect(missingReasons).toContain(reason);
});
