import { describe, expect, test } from 'vitest';
import type { Explanation, Scale } from '../../src/explanation/contribution.ts';
import type { ExplanationMethod } from '../../src/model-catalog/explanation-schema.ts';
import { buildRisk, resultRequest } from '../support/result-request.ts';

const shap: ExplanationMethod = { method: 'tree-shap', against: 'the average of the training data', because: 'tests' };

function told(scale: Scale, change: Partial<Explanation['contributions'][number]> = {}) {
  const explanation: Explanation = {
    contributions: [{ feature: 'systolicBloodPressure', outcome: 'ascvd-10y', difference: 0.42, ...change }],
    bases: [{ outcome: 'ascvd-10y', scale, base: -1.25, residual: 0.000003 }],
  };
  return buildRisk(resultRequest({ manifest: { explanation: shap }, explanation }));
}

const partsOf = (result: ReturnType<typeof told>, name: string) =>
  result.extension?.find(({ url }) => url.endsWith(name))?.extension ?? [];

describe('contributions in another scale than the score', () => {
  test.each<Scale>(['log-odds', 'margin'])('in %s are nowhere told as percentage points', (scale) => {
    const result = told(scale);
    const { text, ...rest } = result;
    expect(
      JSON.stringify(rest).replaceAll('no percentage points', '').replaceAll('not in percentage points', ''),
    ).not.toContain('percentage points');
    expect(text?.div.split('<table>')[1]).not.toContain('percentage points');
  });

  test('in log-odds stand in the rationale with value, unit and date, and against what', () => {
    expect(told('log-odds').prediction?.[0]?.rationale).toContain(
      'Largest contributions against the average of the training data: Systolic blood pressure 141 mmHg (2026-02-28) +0.42 log-odds.',
    );
  });

  test('say what log-odds are', () => {
    const notes = told('log-odds').note?.map(({ text }) => text) ?? [];
    expect(notes).toContainEqual(expect.stringMatching(/TreeSHAP.*against the average of the training data.*add up/));
    expect(notes).toContainEqual(
      expect.stringMatching(/in log-odds, not in percentage points: adding 0\.69 doubles the odds/),
    );
  });

  test('say by which method they came about, what they start from, and what they miss: in log-odds too, no percent', () => {
    const parts = partsOf(told('log-odds'), '/prediction-explanation');
    expect(parts).toEqual([
      { url: 'outcome', valueCode: 'ascvd-10y' },
      { url: 'method', valueCode: 'tree-shap' },
      { url: 'scale', valueCode: 'log-odds' },
      { url: 'against', valueString: 'the average of the training data' },
      {
        url: 'base',
        valueQuantity: { value: -1.25, unit: 'log-odds', system: 'http://unitsofmeasure.org', code: '1' },
      },
      {
        url: 'residual',
        valueQuantity: { value: 0.000003, unit: 'log-odds', system: 'http://unitsofmeasure.org', code: '1' },
      },
    ]);
  });

  test('the base of a probability is a percentage', () => {
    const [base] = partsOf(told('score'), '/prediction-explanation').filter(({ url }) => url === 'base');
    expect(base?.valueQuantity).toMatchObject({ value: -125, unit: '%' });
  });

  test('a contribution that was estimated has its standard error, and one of a bin says which', () => {
    const result = told('score', { standardError: 0.003, part: { kind: 'bin', bin: 4 } });
    const [pressure] = (result.extension ?? []).filter(({ extension }) =>
      extension?.some(({ valueString }) => valueString === 'systolicBloodPressure'),
    );
    const contribution = pressure?.extension?.find(({ url }) => url === 'contribution')?.extension;
    expect(contribution).toContainEqual({
      url: 'standardError',
      valueQuantity: expect.objectContaining({ value: 0.3, unit: 'percentage points' }),
    });
    expect(contribution).toContainEqual({ url: 'bin', valuePositiveInt: 5 });
    expect(result.prediction?.[0]?.rationale).toContain('Systolic blood pressure bin 5 +42.00 percentage points');
  });
});
