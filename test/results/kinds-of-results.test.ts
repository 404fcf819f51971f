import type { Observation, RiskAssessment } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { assertResultValid } from '../../src/results/assert-result-valid.ts';
import { buildResult } from '../../src/results/build-result.ts';
import type { ResultRequest } from '../../src/results/result-request.ts';
import type { ResultResource } from '../../src/results/result-resource.ts';
import { anomaly, mostProbable, progression, survival } from '../support/outcomes-of-each-kind.ts';
import { resultOfOutcomes } from '../support/result-of-outcomes.ts';

const { validate } = createResourceValidator();

function valid<Kind extends ResultResource>(request: ResultRequest): Kind {
  const result = buildResult(request);
  assertResultValid(result, validate);
  return result as Kind;
}

const extensionOf = (holder: { extension?: { url: string }[] } | undefined, name: string): unknown =>
  holder?.extension?.find(({ url }) => url.endsWith(`/${name}`));

describe('a survival curve is a RiskAssessment', () => {
  const result = valid<RiskAssessment>(resultOfOutcomes([survival], [0.98, 0.75, 0.5]));

  test('RA-3 RA-5 with one prediction for each time, each with its own period, of the risk and not of survival', () => {
    expect(
      result.prediction?.map(({ extension, probabilityDecimal, whenPeriod }) => [
        extension?.[0]?.valueCode,
        probabilityDecimal,
        whenPeriod?.start,
        whenPeriod?.end,
      ]),
    ).toEqual([
      ['death-p1y', 2.0000000000000018, '2026-03-01T10:00:00+01:00', '2027-03-01T10:00:00+01:00'],
      ['death', 25, '2026-03-01T10:00:00+01:00', '2028-03-01T10:00:00+01:00'],
      ['death-p5y', 50, '2026-03-01T10:00:00+01:00', '2031-03-01T10:00:00+01:00'],
    ]);
  });

  test('RA-2a whose percentages are said twice alike, and whose band is that of the horizon alone', () => {
    for (const { extension, probabilityDecimal } of result.prediction ?? [])
      expect(extension?.[1]).toMatchObject({ valueQuantity: { value: probabilityDecimal, unit: '%', code: '%' } });
    expect(result.prediction?.map(({ qualitativeRisk }) => qualitativeRisk?.text)).toEqual([
      undefined,
      'high',
      undefined,
    ]);
    expect(result.prediction?.[0]?.rationale).toBe('2.0 % (20 in 1,000) over 1 year');
  });

  test('which a person reads as one sentence', () => {
    expect(result.text?.div).toContain(
      '<li>Death: 25.0 % (250 in 1,000) over 2 years, high (2.0 % (20 in 1,000) over 1 year; 50.0 % (500 in 1,000) over 5 years)</li>',
    );
  });

  test.each<[string, Partial<ResultRequest>]>([
    [
      'falls',
      {
        details: new Map([
          [
            'death',
            {
              curve: [
                { at: 'P1Y', risk: 0.3 },
                { at: 'P2Y', risk: 0.25 },
                { at: 'P5Y', risk: 0.5 },
              ],
            },
          ],
        ]),
      },
    ],
    [
      'lacks a time',
      {
        details: new Map([
          [
            'death',
            {
              curve: [
                { at: 'P1Y', risk: 0.1 },
                { at: 'P2Y', risk: 0.25 },
              ],
            },
          ],
        ]),
      },
    ],
    ['says another score', { scores: new Map([['death', 0.26]]) }],
    ['is not there', { details: new Map() }],
  ])('that is never built of a curve that %s', (_, change) => {
    const request = resultOfOutcomes([survival], [0.98, 0.75, 0.5]);
    expect(() => buildResult({ ...request, ...change })).toThrow('no whole curve that rises for death');
  });
});

describe('an Observation', () => {
  const row = [4.2, 210.25, 0.169, 0.831];

  test('OB-1 of an anomaly is a number without a unit, beside its threshold and where that comes from', () => {
    const result = valid<Observation>(resultOfOutcomes([anomaly], row));
    expect(result.valueQuantity).toEqual({ value: 4.2 });
    expect(result.interpretation?.[0]?.text).toBe('At or above the threshold');
    expect(result.referenceRange?.map(({ text }) => text)).toEqual([
      'Band: Below the threshold, 0 to below 3.5 (percentile 95 of: reconstruction error on 400 held-out panels)',
      'Band: At or above the threshold, 3.5 and above (percentile 95 of: reconstruction error on 400 held-out panels)',
    ]);
    expect(result.text?.div).toContain('Unlike the training data: 4.2 (threshold 3.5), At or above the threshold');
    expect(JSON.stringify(result)).not.toContain('probability');
  });

  test('of a measurement says where the measured value is expected, in an element of its own and in words', () => {
    const result = valid<Observation>(resultOfOutcomes([progression], row));
    expect(result.valueQuantity).toMatchObject({ value: 210.25, code: 'mg/dL' });
    expect(extensionOf(result, 'prediction-interval')).toMatchObject({
      extension: [
        { url: 'range', valueRange: { low: { value: 157.75, code: 'mg/dL' }, high: { value: 262.75, code: 'mg/dL' } } },
        { url: 'coverage', valueQuantity: { value: 90, code: '%' } },
        { url: 'method', valueCode: 'split-conformal' },
        { url: 'source', valueString: '110 held-out patients' },
      ],
    });
    expect(result.text?.div).toContain('Progression: 210 mg/dL (90 % prediction interval 158 to 263, split conformal)');
  });

  test('of the most probable class keeps how probable it is, also as a component', () => {
    const result = valid<Observation>(resultOfOutcomes([progression, mostProbable], row));
    const component = result.component?.[0];
    expect(component?.valueCodeableConcept?.text).toBe('malignant');
    expect(extensionOf(component, 'prediction-class-probability')).toMatchObject({
      valueQuantity: { value: 83.1, unit: '%', code: '%' },
    });
    expect(result.text?.div).toContain('Kind: malignant, probability 83.1 % (831 in 1,000)');
  });
});
