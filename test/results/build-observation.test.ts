import type { Observation } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import type { FeatureValue, Verdict } from '../../src/features/feature-vector.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import { assertResultValid } from '../../src/results/assert-result-valid.ts';
import { buildResult } from '../../src/results/build-result.ts';
import { createResultFrame } from '../../src/results/result-frame.ts';
import type { ResultRequest } from '../../src/results/result-request.ts';
import { scoreText } from '../../src/results/score-text.ts';
import { resultRequest } from '../support/result-request.ts';

const own = 'https://fhirsight.org/fhir/CodeSystem/score';
const total: Outcome = {
  id: 'total',
  label: 'Test score',
  kind: 'points',
  coding: [{ system: own, code: 'test' }],
  column: 0,
  range: [0, 20],
  bands: {
    citation: 'none: synthetic',
    levels: [
      { code: 'low', display: 'low', from: 0, below: 5 },
      { code: 'high', display: 'high', from: 5 },
    ],
  },
};
const filtration: Outcome = {
  id: 'egfr',
  label: 'Estimated GFR',
  kind: 'measurement',
  coding: [{ system: 'http://loinc.org', code: '98979-8' }],
  column: 0,
  unit: 'mL/min/{1.73_m2}',
  range: [0, 300],
  decimals: 0,
};
const stage: Outcome = {
  id: 'stage',
  label: 'Stage',
  kind: 'class',
  coding: [{ system: own, code: 'stage' }],
  column: 1,
  classes: [
    { number: 1, code: 'G1', display: 'normal', coding: [{ system: 'http://snomed.info/sct', code: '431855005' }] },
    { number: 2, code: 'G2', display: 'mildly decreased' },
  ],
};

function requestOf(outcomes: Outcome[], scores: [string, number][], verdicts: [string, Verdict][] = []): ResultRequest {
  const request = resultRequest();
  const manifest = { ...request.model.manifest, outcomes };
  const explained = outcomes.filter(({ kind }) => kind !== 'class');
  const states = new Map<string, Verdict>(outcomes.map(({ id }) => [id, { state: 'score' }]));
  for (const [id, verdict] of verdicts) states.set(id, verdict);
  return {
    ...request,
    model: { ...request.model, manifest },
    frame: createResultFrame(manifest, request.features),
    inputs: { ...request.inputs, verdicts: states },
    scores: new Map(scores),
    explanation: {
      contributions: explained.map(({ id }) => ({ feature: 'age', outcome: id, difference: 2 })),
      bases: explained.map(({ id }) => ({ outcome: id, scale: 'score', base: 5 })),
    },
  };
}

function observed(...given: Parameters<typeof requestOf>): Observation {
  const result = buildResult(requestOf(...given));
  assertResultValid(result, createResourceValidator().validate);
  if (result.resourceType !== 'Observation') throw new Error('the result is no Observation');
  return result;
}

describe('a score as an Observation', () => {
  test('OB-1 points are a Quantity with the band as interpretation and every band as a reference range', () => {
    const result = observed([total], [['total', 7]]);
    expect(result).toMatchObject({
      status: 'preliminary',
      code: { coding: [{ system: own, code: 'test' }], text: 'Test score' },
      valueQuantity: { value: 7, unit: 'points', system: 'http://unitsofmeasure.org', code: '{score}' },
      interpretation: [{ text: 'high' }],
    });
    expect(result.referenceRange?.map(({ low, type, text }) => [low, type?.text, text])).toEqual([
      [undefined, 'low', 'Band: low, 0 to below 5 (none: synthetic)'],
      [undefined, 'high', 'Band: high, 5 and above (none: synthetic)'],
    ]);
    expect(result.text?.div).toContain('7 points (0 to 20), high');
  });

  test('AIT-1 it carries the AI label, its identifier, the subject, as-of and the time of its computation', () => {
    const request = requestOf([total], [['total', 7]]);
    const result = buildResult(request) as Observation;
    expect(result.meta?.security?.map(({ code }) => code)).toContain('AIAST');
    expect(result.identifier?.[0]?.value).toBe(request.identifier);
    expect(result.subject?.reference).toContain(`Patient/${request.subject.id}`);
    expect(new Date(result.effectiveDateTime ?? '').getTime()).toBe(request.asOf.getTime());
    expect(result.issued).toBe(request.computedAt.toISOString());
  });

  test('OB-2 the Device of the model is its device, never a performer, which R4 does not allow', () => {
    const result = observed([total], [['total', 7]]);
    expect(result.device?.reference).toMatch(/^Device\//);
    expect(result.performer).toBeUndefined();
  });

  test('OB-1 it is derived from Observations alone: the Patient and the conditions stand in its inputs', () => {
    const references = (observed([total], [['total', 7]]).derivedFrom ?? []).map(({ reference }) => reference);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) expect(reference).toMatch(/Observation\/[^/]+/);
  });

  test('a measurement keeps every digit, and is shown with the decimals declared', () => {
    const result = observed([filtration], [['egfr', 77.8834512]]);
    expect(result.valueQuantity).toMatchObject({ value: 77.8834512, code: 'mL/min/{1.73_m2}' });
    expect(result.text?.div).toContain('78 mL/min/1.73 m²');
  });

  test('OB-3 further outcomes are components with codes of their own, a class as a concept', () => {
    const result = observed(
      [filtration, stage],
      [
        ['egfr', 77.9],
        ['stage', 2],
      ],
    );
    expect(result.component).toHaveLength(1);
    expect(result.component?.[0]).toMatchObject({
      code: { coding: [{ system: own, code: 'stage' }] },
      valueCodeableConcept: { coding: [{ code: 'G2', version: '1.2.3' }], text: 'mildly decreased' },
    });
  });

  test('contributions are told in the unit of the score', () => {
    expect(observed([total], [['total', 7]]).text?.div).toContain('Age: +2 points');
    expect(observed([filtration], [['egfr', 90]]).text?.div).toContain('+2.00 mL/min/1.73 m²');
  });

  test('contributions to a number without a unit are counted in 1, and the result is valid', () => {
    const result = observed([{ ...filtration, unit: '1' }], [['egfr', 90]]);
    expect(JSON.stringify(result)).toContain('"valueQuantity":{"value":2,"unit":"1"');
    expect(result.text?.div).toContain('+2.00');
  });

  test('OB-3 where the first outcome is withheld the next is the value, under its own code, and the reason stands beside', () => {
    const verdict: Verdict = { state: 'out-of-range', reasons: [{ reason: 'age', message: 'age 101 is too high' }] };
    const result = observed([filtration, stage], [['stage', 1]], [['egfr', verdict]]);
    expect(result).toMatchObject({ code: { text: 'Stage' }, valueCodeableConcept: { text: 'normal' } });
    expect(result.component).toBeUndefined();
    expect(result.note?.map(({ text }) => text).join()).toContain('age 101 is too high');
  });

  test('OB-3 obs-7 two scores under one code are never sent: nobody could tell them apart', () => {
    const twin: Outcome = { ...total, id: 'twin', column: 1 };
    const both: [string, number][] = [
      ['total', 7],
      ['twin', 3],
    ];
    expect(() => buildResult(requestOf([total, twin], both))).toThrow(
      expect.objectContaining({ code: 'RESULT_INVALID' }),
    );
  });

  test('is of the time of its newest measurement where the manifest names them, not of today', () => {
    const dated: Outcome = { ...filtration, effective: ['systolicBloodPressure', 'age'] };
    const request = requestOf([dated], [['egfr', 77]]);
    const measured = request.inputs.features.get('systolicBloodPressure');
    if (measured === undefined || !('at' in measured)) throw new Error('the pressure has no time');
    expect(buildResult(request)).toMatchObject({ effectiveDateTime: measured.at });
    expect(measured.at).not.toBe(
      (buildResult(requestOf([filtration], [['egfr', 77]])) as Observation).effectiveDateTime,
    );
  });

  test('of a day and an instant is of the one that is newer in the zone of the site', () => {
    const dated: Outcome = { ...filtration, effective: ['systolicBloodPressure', 'age'] };
    const base = requestOf([dated], [['egfr', 77]]);
    const at = (time: string): FeatureValue => ({ state: 'observed', value: 1, at: time, sources: [] });
    // In New York the instant lies on the evening before that day.
    const features = new Map(base.inputs.features)
      .set('systolicBloodPressure', at('2026-03-01T02:00:00Z'))
      .set('age', at('2026-03-01'));
    const request = { ...base, inputs: { ...base.inputs, features } };
    const timeIn = (timeZone: string) => (buildResult({ ...request, timeZone }) as Observation).effectiveDateTime;
    expect(timeIn('America/New_York')).toBe('2026-03-01');
    expect(timeIn('UTC')).toBe('2026-03-01T02:00:00Z');
  });

  test.each([
    ['half a point', total, 7.5],
    ['points above the most', total, 21],
    ['a number out of the range', filtration, 301],
    ['a number that JSON writes with an exponent', filtration, 1e-9],
    ['a class that is not declared', stage, 3],
    ['no number', filtration, Number.NaN],
  ])('%s is never sent', (_, outcome, score) => {
    expect(() => buildResult(requestOf([outcome], [[outcome.id, score]]))).toThrow(
      expect.objectContaining({ code: 'RESULT_INVALID' }),
    );
  });
});

test('a measurement beside the edge of a band is never shown as on its other side', () => {
  const edged: Outcome = {
    ...filtration,
    bands: {
      citation: 'none: synthetic',
      levels: [
        { code: 'low', display: 'low', from: 0, below: 60 },
        { code: 'normal', display: 'normal', from: 60 },
      ],
    },
  };
  expect(scoreText(edged, 59.7)).toBe('59.7 mL/min/1.73 m²');
  expect(scoreText(edged, 59.3)).toBe('59 mL/min/1.73 m²');
  expect(scoreText(edged, 60.4)).toBe('60 mL/min/1.73 m²');
});

test('one point is one point, and a horizon is told', () => {
  expect(scoreText({ ...total, horizon: 'P30D' }, 1)).toBe('1 point (0 to 20), for the next 30 days');
  expect(scoreText(stage, 2)).toBe('mildly decreased');
});
