import { describe, expect, it } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { checkUnreadFeatures } from '../../src/model-catalog/lint/check-unread-features.ts';
import { mgPerDl, observation, patient } from '../support/build-record.ts';
import { extractAll, noPopulation } from '../support/extract-one.ts';

const gfr = 'mL/min/{1.73_m2}';
const measured = (code: string, unit: string, plausible: [number, number]): FeatureDefinition => ({
  kind: 'observation',
  label: code,
  unit,
  codes: [`http://loinc.org|${code}`],
  window: 'P1Y',
  pick: 'latest',
  plausible,
  missing: 'abstain',
});
const features: Record<string, FeatureDefinition> = {
  age: { kind: 'demographics', label: 'Age', element: 'age', unit: 'a' },
  sex: {
    kind: 'demographics',
    label: 'Sex',
    element: 'sex',
    vocabulary: { female: ['female'], male: ['male'] },
  },
  creatinine: measured('2160-0', 'mg/dL', [0.1, 40]),
  reportedGfr: measured('98979-8', gfr, [1, 250]),
  // CKD-EPI 2021 from creatinine, doi:10.1056/NEJMoa2102953
  computedGfr: {
    kind: 'derived',
    label: 'Computed',
    unit: gfr,
    expression: [
      '*',
      142,
      [
        'pow',
        ['min', ['/', 'creatinine', ['if-equal', 'sex', 'female', 0.7, 0.9]], 1],
        ['if-equal', 'sex', 'female', -0.241, -0.302],
      ],
      ['pow', ['max', ['/', 'creatinine', ['if-equal', 'sex', 'female', 0.7, 0.9]], 1], -1.2],
      ['pow', 0.9938, 'age'],
      ['if-equal', 'sex', 'female', 1.012, 1],
    ],
    source: 'doi:10.1056/NEJMoa2102953',
  },
};
const crossCheck = {
  features: ['reportedGfr', 'computedGfr'] as [string, string],
  within: { relative: 0.3 },
  message: 'Reported and computed eGFR differ.',
};
const taken = '2026-01-01T08:00:00Z';
const reported = (value: number) =>
  observation('98979-8', { value, unit: gfr, system: 'http://unitsofmeasure.org', code: gfr }, taken);
/** A woman of 55 with 1.0 mg/dL: 66.8 mL/min/{1.73_m2}. */
const woman = [patient(), observation('2160-0', mgPerDl(1), taken)];

type Check = typeof crossCheck & { outcomes?: string[] };
const judged = (resources: Parameters<typeof extractAll>[1], check: Check = crossCheck, outcomes = ['outcome']) =>
  extractAll(features, resources, {
    columns: ['reportedGfr'],
    outcomes,
    population: { ...noPopulation, crossChecks: [check] },
  });
const verdictOf = (...given: Parameters<typeof judged>) => judged(...given).verdicts.get('outcome');

describe('two features that say the same thing', () => {
  const computed = judged([...woman, reported(60)]).features.get('computedGfr');
  const value = computed !== undefined && 'value' in computed ? Number(computed.value) : Number.NaN;

  it('are computed as the equation has it', () => {
    expect(value).toBeCloseTo(142 * (1 / 0.7) ** -1.2 * 0.9938 ** 55 * 1.012, 9);
  });

  it.each([1, 1.29, 0.71, 1.3, 0.7])('agree where one is %d of the other', (share) => {
    expect(verdictOf([...woman, reported(share * value)])).toEqual({ state: 'score' });
  });

  it.each([1.31, 0.69, 2.5])('make the model abstain where one is %d of the other, and both are named', (share) => {
    expect(verdictOf([...woman, reported(share * value)])).toMatchObject({
      state: 'insufficient-data',
      reasons: [
        {
          reason: 'reportedGfr:cross-check',
          feature: 'reportedGfr',
          message: expect.stringMatching(
            /^Reported and computed eGFR differ\. \(reportedGfr [\d.]+, computedGfr [\d.]+: more than 30 % apart\)$/,
          ),
        },
      ],
    });
  });

  it('are not compared where one is missing', () => {
    expect(verdictOf([patient(), reported(20)])).toEqual({ state: 'score' });
  });

  it('are not compared where one is imputed, which says nothing about the other', () => {
    const population: FeatureMap['population'] = { ...noPopulation, mostImputed: 1, crossChecks: [crossCheck] };
    const reportedGfr = {
      ...features.reportedGfr,
      missing: { impute: [{ because: ['not-found'], value: 200, source: 'test' }] },
    } as FeatureDefinition;
    const inputs = extractAll({ ...features, reportedGfr }, woman, { columns: ['reportedGfr'], population });
    expect(inputs.features.get('reportedGfr')).toMatchObject({ state: 'imputed' });
    expect(inputs.verdicts.get('outcome')).toEqual({ state: 'score' });
  });

  it('are compared where a caller asserts one of them', () => {
    const asserted = new Map<string, FeatureValue>([['reportedGfr', { state: 'asserted', value: 20, sources: [] }]]);
    const population = { ...noPopulation, crossChecks: [crossCheck] };
    const inputs = extractAll(features, woman, { columns: ['reportedGfr'], population, asserted });
    expect(inputs.verdicts.get('outcome')).toMatchObject({ state: 'insufficient-data' });
  });

  it('silence only the outcomes that the check is for', () => {
    const inputs = judged([...woman, reported(10)], { ...crossCheck, outcomes: ['one'] }, ['one', 'other']);
    expect(inputs.verdicts.get('one')).toMatchObject({ state: 'insufficient-data' });
    expect(inputs.verdicts.get('other')).toEqual({ state: 'score' });
  });
});

describe('what load says of a cross-check', () => {
  const findings = (check: Partial<Check>, more: Record<string, FeatureDefinition> = {}) =>
    checkFeatureMap(
      {
        language: 1,
        features: { ...features, ...more },
        population: { ...noPopulation, crossChecks: [{ ...crossCheck, ...check }] },
      },
      ['outcome'],
    ).map(({ path, message }) => `${path.replace('/population/crossChecks/0', '')} ${message}`);

  it('is nothing where the two are numbers in one unit', () => {
    expect(findings({})).toEqual([]);
  });

  it.each<[Partial<Check>, string]>([
    [{ features: ['reportedGfr', 'creatinine'] }, ` compares ${gfr} with mg/dL; the two must be in one unit`],
    [{ features: ['reportedGfr', 'absent'] }, ' names the feature absent, which the map does not define'],
    [{ features: ['reportedGfr', 'sex'] }, ' needs a feature that is a number; sex is a code'],
    [{ features: ['reportedGfr', 'reportedGfr'] }, ' compares reportedGfr with itself'],
    [{ outcomes: ['death'] }, '/outcomes names the outcome death; the manifest has: outcome'],
  ])('names what is wrong with %j', (check, expected) => {
    expect(findings(check)).toEqual([expected]);
  });

  it('is that the features of a check are read by it', () => {
    const manifest = { tensors: { input: { columns: [{ feature: 'age' }] } } } as never;
    const population = { ...noPopulation, crossChecks: [crossCheck] };
    const unread = checkUnreadFeatures({ manifest, featureMap: { language: 1, features, population }, golden: [] });
    expect(unread).toEqual([]);
  });
});
