import { conflict, OperationOutcomeError } from '@medplum/core';
import { expect, test } from 'vitest';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { describeError } from '../../src/http/error-response.ts';
import { type ErrorCode, errorCodes, PredictionError } from '../../src/platform/errors.ts';

/** The table of OP-20. */
const issueCodes: Readonly<Record<number, readonly string[]>> = {
  400: ['structure', 'invalid', 'required', 'value'],
  401: ['login', 'security'],
  403: ['forbidden', 'suppressed'],
  404: ['not-found', 'not-supported'],
  405: ['not-supported'],
  406: ['not-supported'],
  409: ['conflict'],
  410: ['deleted'],
  412: ['conflict', 'multiple-matches', 'incomplete'],
  413: ['too-long', 'too-costly'],
  415: ['not-supported'],
  422: ['business-rule', 'invariant', 'processing'],
  428: ['required'],
  429: ['throttled'],
  500: ['exception'],
  503: ['transient', 'throttled', 'no-store', 'timeout'],
  504: ['timeout'],
};

const validator = createResourceValidator();

test.each(errorCodes.map((code) => [code]))(
  'OP-20 %s has a status, an issue code of its row and a valid OperationOutcome',
  (code: ErrorCode) => {
    const { status, outcome } = describeError(new PredictionError(code, 'What, where, and the way out.'), 'r-1');
    expect(issueCodes[status]).toContain(outcome.issue?.[0]?.code);
    expect(validator.findings(outcome)).toEqual([]);
  },
);

test('each finding becomes an issue with its own code, place and verdict', () => {
  const error = new PredictionError('ABSTAINED', 'No.', {
    issues: [
      { message: 'No creatinine.', reason: 'insufficient-data', expression: 'Parameters.parameter[0]' },
      { message: 'Not seen.', code: 'incomplete', severity: 'warning' },
    ],
  });
  const { status, outcome } = describeError(error, 'r-1');
  expect(status).toBe(422);
  expect(outcome.issue).toMatchObject([
    {
      severity: 'error',
      code: 'business-rule',
      diagnostics: 'No creatinine.',
      expression: ['Parameters.parameter[0]'],
      details: { coding: [{ code: 'insufficient-data' }] },
    },
    { severity: 'warning', code: 'incomplete' },
  ]);
});

test('OP-20 a record source that hung is 504, one that failed 503', () => {
  const hung = new PredictionError('RECORD_UNREACHABLE', 'Hung.', { issues: [{ code: 'timeout', message: 'Hung.' }] });
  expect(describeError(hung, 'r').status).toBe(504);
  expect(describeError(new PredictionError('RECORD_UNREACHABLE', 'Failed.'), 'r').status).toBe(503);
});

test('OP-20 an image server that hung is 504, one that failed 503', () => {
  const hung = new PredictionError('IMAGES_UNREACHABLE', 'Hung.', { issues: [{ code: 'timeout', message: 'Hung.' }] });
  expect(describeError(hung, 'r').status).toBe(504);
  expect(describeError(new PredictionError('IMAGES_UNREACHABLE', 'Failed.'), 'r').status).toBe(503);
});

test("the FHIR library's outcomes keep their status and lose their internal id", () => {
  const { status, outcome } = describeError(new OperationOutcomeError(conflict('duplicate')), 'r');
  expect(status).toBe(409);
  expect(outcome.id).toBeUndefined();
});

test('OP-21 anything else is 500 and keeps its text inside', () => {
  const { status, outcome } = describeError(new TypeError('secret'), 'r-9');
  expect(status).toBe(500);
  expect(JSON.stringify(outcome)).toContain('r-9');
  expect(JSON.stringify(outcome)).not.toContain('secret');
});
