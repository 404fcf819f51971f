import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { type ModelOutput, outputKey, reasonsOfAbstention } from '../../src/features/model-output.ts';
import { guessedFeatures } from '../../src/features/todays-status.ts';
import type { FeatureDefinition, ModelOutputDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { patient, recordOf } from '../support/build-record.ts';
import { extractAll, noPopulation } from '../support/extract-one.ts';
import { egfrOfCkdEpi } from '../support/models-that-use-others.ts';

const source = 'made for this test';
const median: ModelOutputDefinition = {
  ...egfrOfCkdEpi,
  missing: { impute: [{ because: ['not-found'], value: 88, source }] },
};
const score = (value: number | string, more: Partial<Extract<ModelOutput, { value: unknown }>> = {}): ModelOutput => ({
  sources: [],
  isGuess: false,
  dates: [],
  remarks: [],
  ...more,
  value,
});
const abstains = (behind: Extract<ModelOutput, { verdict: unknown }>['behind']): ModelOutput => ({
  sources: [],
  isGuess: false,
  verdict: { state: 'insufficient-data', reasons: [{ reason: 'creatinine', message: 'no creatinine' }] },
  behind,
});
const outputsOf = (output: ModelOutput | undefined) =>
  new Map(output === undefined ? [] : [[outputKey(egfrOfCkdEpi), output]]);

function inputFrom(definition: FeatureDefinition, output: ModelOutput | undefined): FeatureValue | undefined {
  const { features } = extractAll({ gfr: definition }, [patient()], {
    outputs: outputsOf(output),
    population: { ...noPopulation, mostImputed: 1 },
  });
  return features.get('gfr');
}

describe('the output of another model as a feature', () => {
  it('is the very number, as old as the oldest input of that model', () => {
    const dates = ['2026-02-01', '2025-05-06T07:08:00Z', '2026-01-01T00:00:00Z'];
    const number = 0.1 + 0.2;
    expect(inputFrom({ ...egfrOfCkdEpi, plausible: [0, 250] }, score(number, { dates }))).toEqual({
      state: 'derived',
      value: number,
      at: '2025-05-06T07:08:00Z',
      from: [],
      model: 'ckd-epi-2021@1.0.0',
      detail: 'egfr of ckd-epi-2021@1.0.0',
      sources: [],
    });
  });

  it.each([
    ['outside of what the map finds plausible', score(0.5), 'implausible'],
    ['too small to be written in plain digits', score(1e-9), 'not-computable'],
    ['a code where a number is wanted', score('G1'), 'not-in-vocabulary'],
    ['never asked for, which no path does', undefined, 'input-missing'],
  ] as const)('is missing where it is %s', (_fault, output, because) => {
    const plausible: [number, number] = because === 'not-computable' ? [0, 250] : [1, 250];
    expect(inputFrom({ ...egfrOfCkdEpi, plausible }, output)).toMatchObject({ state: 'missing', because });
  });

  it('is missing where points have a fraction, or a class is none that the map knows', () => {
    const points: FeatureDefinition = { ...egfrOfCkdEpi, unit: '{score}', whole: true };
    expect(inputFrom(points, score(7.5))).toMatchObject({ state: 'missing', because: 'not-numeric' });
    const { unit: _, plausible: __, ...rest } = egfrOfCkdEpi;
    const category: FeatureDefinition = { ...rest, vocabulary: ['G1', 'G2'] };
    expect(inputFrom(category, score('G2'))).toMatchObject({ state: 'derived', value: 'G2' });
    expect(inputFrom(category, score('G9'))).toMatchObject({ state: 'missing', because: 'not-in-vocabulary' });
  });

  it('is imputed where that model lacks what is nowhere, by the reason of what it lacks', () => {
    expect(inputFrom(median, abstains(['not-found']))).toMatchObject({ state: 'imputed', value: 88 });
  });

  it('is not imputed over a doubt about what that model reads, or where that model is not for this person', () => {
    for (const behind of [['unit-missing'], ['not-found', 'unit-missing'], []] as const)
      expect(inputFrom(median, abstains(behind))).toMatchObject({ state: 'missing', because: 'input-missing' });
  });

  it('passes a doubt of that model on through a first-of, and over what is nowhere', () => {
    const features: Record<string, FeatureDefinition> = {
      best: {
        kind: 'first-of',
        label: 'Best',
        unit: egfrOfCkdEpi.unit,
        of: ['gfr', 'asked'],
        passOver: ['not-found'],
      },
      gfr: egfrOfCkdEpi,
      asked: { kind: 'input', label: 'Asked', unit: egfrOfCkdEpi.unit, plausible: [1, 250], ask: 'How much?' },
    };
    const asserted = new Map([['asked', { state: 'asserted', value: 50, sources: [] } as const]]);
    const best = (behind: Parameters<typeof abstains>[0]) =>
      extractAll(features, [patient()], { outputs: outputsOf(abstains(behind)), asserted }).features.get('best');
    expect(best(['not-found'])).toMatchObject({ state: 'derived', value: 50 });
    expect(best(['not-found', 'conflict'])).toMatchObject({ state: 'missing', because: 'input-missing' });
    expect(best([])).toMatchObject({ state: 'missing', because: 'input-missing' });
  });

  it('rests on a guess where that model does', () => {
    const map = { language: 1, features: { gfr: egfrOfCkdEpi }, population: noPopulation } as const;
    const compiled = compileFeatureMap(map);
    const guessed = (isGuess: boolean) => {
      const outputs = outputsOf(score(90, { isGuess }));
      const { features } = extractAll(map.features, [patient()], { outputs });
      return [...guessedFeatures(compiled, features, recordOf([patient()]), 'UTC', outputs)];
    };
    expect([guessed(true), guessed(false)]).toEqual([['gfr'], []]);
  });
});

describe('why a model lacks what it lacks', () => {
  const reason = (feature: string) => ({ reason: feature, feature, message: '' });
  const missing = (because: 'not-found' | 'conflict') =>
    ({ state: 'missing', because, detail: '', sources: [] }) as const;
  const features = new Map<string, FeatureValue>([
    ['absent', missing('not-found')],
    ['doubted', missing('conflict')],
    ['imputed', { state: 'imputed', value: 1, because: 'too-few', detail: '', sources: [] }],
    ['measured', { state: 'observed', value: 1, sources: [] }],
  ]);
  const of = (...names: string[]) =>
    reasonsOfAbstention({ state: 'insufficient-data', reasons: names.map(reason) }, features);

  it('is that of every input that is missing, or imputed beyond the cap', () => {
    expect(of('absent', 'doubted', 'imputed')).toEqual(['not-found', 'conflict', 'too-few']);
  });

  it('is none where two measured inputs contradict each other, or the model is not for this person', () => {
    expect(of('absent', 'measured')).toEqual([]);
    expect(reasonsOfAbstention({ state: 'not-eligible', reasons: [reason('absent')] }, features)).toEqual([]);
    expect(reasonsOfAbstention({ state: 'out-of-range', reasons: [reason('measured')] }, features)).toEqual([]);
    expect(reasonsOfAbstention({ state: 'score' }, features)).toEqual([]);
  });
});
