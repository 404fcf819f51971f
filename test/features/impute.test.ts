import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { mgPerDl, observation } from '../support/build-record.ts';
import { extractAll, noPopulation } from '../support/extract-one.ts';

const imputed = (code: string, because: string[]): FeatureDefinition => ({
  kind: 'observation',
  label: 'Phosphate',
  unit: 'mg/dL',
  codes: [`http://loinc.org|${code}`],
  window: 'P1Y',
  pick: 'latest',
  plausible: [0.5, 20],
  missing: { impute: [{ because, value: 3.9, source: 'median of the training set' }] },
});
const features = {
  phosphate: imputed('2777-1', ['not-found']),
  calcium: imputed('17861-6', ['not-found', 'comparator']),
  product: {
    kind: 'derived',
    label: 'Product',
    unit: 'mg2/dL2',
    expression: ['*', 'phosphate', 'calcium'],
    source: 'test',
  } as FeatureDefinition,
};
const extract = (
  resources: Parameters<typeof extractAll>[1],
  mostImputed?: number,
  asserted?: ReadonlyMap<string, FeatureValue>,
) =>
  extractAll(features, resources, {
    population: { ...noPopulation, ...(mostImputed === undefined ? {} : { mostImputed }) },
    ...(asserted && { asserted }),
  });
const phosphate = observation('2777-1', mgPerDl(3), '2026-01-01T08:00:00Z');
const calcium = observation('17861-6', mgPerDl(9), '2026-01-01T08:00:00Z');

describe('a feature that may be imputed', () => {
  it('is not where the record has a value', () => {
    const inputs = extract([phosphate, calcium], 1);
    expect(inputs.features.get('phosphate')).toMatchObject({ state: 'observed', value: 3 });
    expect(inputs.verdicts.get('outcome')).toEqual({ state: 'score' });
  });

  it('says what stands for it, and why', () => {
    const inputs = extract([calcium], 1);
    expect(inputs.features.get('phosphate')).toEqual({
      state: 'imputed',
      value: 3.9,
      because: 'not-found',
      detail: 'no Phosphate within 1 year before as-of; imputed: median of the training set',
      sources: [],
    });
    expect(inputs.features.get('product')).toMatchObject({ state: 'derived', value: 3.9 * 9 });
    expect(inputs.verdicts.get('outcome')).toEqual({ state: 'score' });
  });

  it('stays missing for every reason that is not named', () => {
    const bare = observation('2777-1', { value: 3 }, '2026-01-01T08:00:00Z');
    const inputs = extract([bare, calcium], 1);
    expect(inputs.features.get('phosphate')).toMatchObject({ state: 'missing', because: 'unit-missing' });
    expect(inputs.verdicts.get('outcome')).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: 'phosphate:unit-missing' }],
    });
  });

  it('keeps the result that could not be used as its source', () => {
    const limit = observation('17861-6', { ...mgPerDl(9), comparator: '<' }, '2026-01-01T08:00:00Z');
    expect(extract([phosphate, limit], 1).features.get('calcium')).toMatchObject({
      state: 'imputed',
      because: 'comparator',
      sources: [{ reference: `Observation/${limit.id}` }],
    });
  });

  it('is not where the caller asserts a value', () => {
    const asserted = new Map<string, FeatureValue>([['phosphate', { state: 'asserted', value: 5, sources: [] }]]);
    expect(extract([calcium], 1, asserted).features.get('phosphate')).toMatchObject({ state: 'asserted', value: 5 });
  });

  it.each([undefined, 0, 1])('makes the model abstain beside another one, where at most %s may be', (most) => {
    expect(extract([], most).verdicts.get('outcome')).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: 'phosphate:not-found' }, { reason: 'calcium:not-found' }],
    });
    expect(extract([], 2).verdicts.get('outcome')).toEqual({ state: 'score' });
  });

  it('refuses a reason that does not exist', () => {
    const wrong = { phosphate: imputed('2777-1', ['unfound']) };
    expect(() => compileFeatureMap({ language: 1, features: wrong, population: noPopulation })).toThrow(
      "'unfound' is no reason to be missing",
    );
  });
});
