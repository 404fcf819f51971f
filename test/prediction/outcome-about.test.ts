import { describe, expect, test } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { outcomeAbout, studyAbout } from '../../src/prediction/outcome-about.ts';
import { studyOf } from '../../src/results/study-of.ts';
import { image, reportRequest, spot } from '../support/report-request.ts';

const request = reportRequest([spot]);
const withValues = (values: Record<string, FeatureValue>) => ({
  inputs: { ...request.inputs, features: new Map(Object.entries(values)) },
  timeZone: 'UTC',
});
const identity = (changes: object = {}) =>
  ({ ...request, focus: undefined, ...changes }) as Parameters<typeof outcomeAbout>[0];

describe('RA-7: what a report is of', () => {
  test('is the study, whatever encounter or order a call names, so that there is one report', () => {
    const plain = outcomeAbout(identity(), 'ImagingStudy/s1');
    expect(plain).toEqual({ focus: 'ImagingStudy/s1', reportInputs: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(outcomeAbout(identity({ encounter: 'e1', focus: 'ServiceRequest/17' }), 'ImagingStudy/s1')).toEqual(plain);
  });

  test('is the same at another instant and for another version of a source, and another with another value or model', () => {
    const inputsOf = (changes: object) => outcomeAbout(identity(changes), 'ImagingStudy/s1').reportInputs;
    const before = inputsOf({});
    const other = (value: FeatureValue) => ({ inputs: withValues({ radiograph: value }).inputs });
    expect(inputsOf({ asOf: new Date('2026-04-01T00:00:00Z') })).toBe(before);
    expect(inputsOf(other({ ...image, sources: [{ reference: 'ImagingStudy/s1/_history/4' }] }))).toBe(before);
    expect(inputsOf(other({ ...image, value: 2 } as FeatureValue))).not.toBe(before);
    expect(inputsOf({ model: { ...request.model, digest: 'ff' } })).not.toBe(before);
  });

  test('is nothing of the kind for other models: encounter and focus stay those of the call', () => {
    expect(outcomeAbout(identity({ encounter: 'e1', focus: 'ServiceRequest/17' }), undefined)).toEqual({
      encounter: 'e1',
      focus: 'ServiceRequest/17',
    });
  });
});

describe('the study of the inputs', () => {
  const of = (id: string, at: string): FeatureValue =>
    ({ ...image, at, sources: [{ reference: `http://127.0.0.1/fhir/ImagingStudy/${id}/_history/2` }] }) as FeatureValue;
  const missing = (id: string): FeatureValue => ({
    state: 'missing',
    because: 'not-found',
    detail: 'tests',
    sources: [{ reference: `ImagingStudy/${id}` }],
  });

  test('is the newest of those that were read', () => {
    const values = { prior: of('s1', '2026-01-01T00:00:00Z'), current: of('s2', '2026-02-01T00:00:00Z') };
    expect(studyOf(withValues(values))).toBe('ImagingStudy/s2');
  });

  test('is the one that could not be read where there is but one, so that an abstention is about it', () => {
    expect(studyOf(withValues({ one: missing('s1') }))).toBe('ImagingStudy/s1');
    expect(studyOf(withValues({ one: missing('s1'), two: missing('s2') }))).toBeUndefined();
    expect(studyOf(withValues({}))).toBeUndefined();
  });
});

describe('the study that an outcome is about', () => {
  const gone = withValues({});

  test('RA-7: is the one that the call is about where it was withdrawn or is gone, so that its report does not stand as current', () => {
    expect(studyAbout(true, gone, 'ImagingStudy/s1')).toBe('ImagingStudy/s1');
    expect(studyAbout(true, withValues({ radiograph: image }), 'ServiceRequest/17')).toBe('ImagingStudy/s1');
    expect(studyAbout(true, gone, 'ServiceRequest/17')).toBeUndefined();
    expect(studyAbout(false, gone, 'ImagingStudy/s1')).toBeUndefined();
  });
});
