import { describe, expect, it } from 'vitest';
import { readAssertedInputs } from '../../src/features/asserted-input.ts';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { extractAll, extractOne, noPopulation } from '../support/extract-one.ts';

const definition = (parts: object = {}): FeatureDefinition => ({
  kind: 'input',
  label: 'Frailty',
  ask: 'How frail was the patient, from 1 to 9?',
  ...parts,
});
const score = definition({ unit: '{score}', plausible: [1, 9], whole: true });
const code = definition({ vocabulary: ['walks', 'does-not-walk'] });
const mapOf = (feature: FeatureDefinition) => ({
  language: 1 as const,
  features: { feature },
  population: noPopulation,
});

/** What the feature is where the caller asserts this. */
function asserted(feature: FeatureDefinition, value: number | boolean | string) {
  const inputs = readAssertedInputs([{ name: 'feature', value }], compileFeatureMap(mapOf(feature)));
  return extractAll({ feature }, [], { asserted: inputs }).features.get('feature');
}

describe('an input that only the caller can give', () => {
  it('is missing where the caller does not give it, and the model abstains', () => {
    const detail = 'Frailty is for the caller to say: How frail was the patient, from 1 to 9?';
    expect(extractOne(score, [])).toMatchObject({ state: 'missing', because: 'not-asserted', detail });
    expect(extractAll({ feature: definition() }, []).verdicts.get('outcome')).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: 'feature:not-asserted' }],
    });
  });

  it('has the value that the caller asserts', () => {
    expect(asserted(score, 4)).toMatchObject({ state: 'asserted', value: 4 });
    expect(asserted(code, 'walks')).toMatchObject({ state: 'asserted', value: 'walks' });
    expect(asserted(definition(), false)).toMatchObject({ state: 'asserted', value: false });
  });

  it.each([
    [score, 10, /outside the plausible 1 to 9/],
    [score, 4.5, /counts are whole/],
    [score, true, /is a number/],
    [code, 'runs', /takes one of the codes walks, does-not-walk/],
    [definition(), 1, /yes or no/],
  ])('refuses what it cannot be', (feature, value, message) => {
    expect(() => asserted(feature, value)).toThrow(message);
  });

  it.each([
    [{ unit: '1' }, '/plausible'],
    [{ plausible: [1, 9] }, '/plausible'],
    [{ whole: true }, '/whole'],
    [{ unit: '1', plausible: [1, 9], vocabulary: ['walks', 'does-not-walk'] }, '/vocabulary'],
  ])('is no definition with %j', (parts, path) => {
    expect(checkFeatureMap(mapOf(definition(parts)), [])).toMatchObject([{ path: `/features/feature${path}` }]);
  });
});
