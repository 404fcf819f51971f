import type { Bundle, Observation, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { operationDefinition } from '../../../src/entrances/fhir-operation/operation-definition.ts';
import {
  type AskedPrediction,
  predictionRequestFromParameters,
} from '../../../src/entrances/fhir-operation/prediction-request-from-parameters.ts';

const base = 'http://127.0.0.1:8080/fhir/R4';

function askedAt(id: string, ...more: ParametersParameter[]): AskedPrediction {
  const parameter = [{ name: 'model', valueString: 'prevent-base' }, ...more];
  const context = { timeZone: 'UTC', bases: [base], requestId: 'r' };
  const place = { type: 'Patient', id } as const;
  return predictionRequestFromParameters(
    operationDefinition('predict'),
    { resourceType: 'Parameters', parameter },
    place,
    context,
  );
}

function requestOf(...more: ParametersParameter[]): AskedPrediction['request'] {
  return askedAt('1', ...more).request;
}

const observation: Observation = { resourceType: 'Observation', status: 'final', code: {} };

function bundleOf(...resources: Resource[]): Bundle {
  return { resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) };
}

describe('resources that the caller holds', () => {
  test('in a Bundle inside a Bundle are not dropped, and each is named by its place', () => {
    const resource = bundleOf(observation, bundleOf(observation, bundleOf(observation)));
    const { seed } = requestOf({ name: 'resource', resource });
    expect(seed.map(({ expression }) => expression)).toEqual([
      'Parameters.parameter[1].resource.entry[0].resource',
      'Parameters.parameter[1].resource.entry[1].resource.entry[0].resource',
      'Parameters.parameter[1].resource.entry[1].resource.entry[1].resource.entry[0].resource',
    ]);
    expect(seed.map((each) => each.resource)).toEqual([observation, observation, observation]);
  });

  test('are as many as a large inner Bundle holds', () => {
    const inner = bundleOf(...new Array<Resource>(1_000).fill(observation));
    inner.entry = Array.from({ length: 300 }, () => inner.entry ?? []).flat();
    const { seed } = requestOf({ name: 'resource', resource: bundleOf(inner) });
    expect(seed).toHaveLength(300_000);
    expect(seed.at(-1)?.expression).toBe('Parameters.parameter[1].resource.entry[0].resource.entry[299999].resource');
  });

  test('deeper than three Bundles are refused, and the place is named', () => {
    const resource = bundleOf(bundleOf(bundleOf(bundleOf(observation))));
    expect(() => requestOf({ name: 'resource', resource })).toThrow(
      expect.objectContaining({
        code: 'PARAMETER_INVALID',
        issues: [
          expect.objectContaining({
            expression: 'Parameters.parameter[1].resource.entry[0].resource.entry[0].resource.entry[0].resource',
          }),
        ],
      }),
    );
  });
});

describe('the encounter', () => {
  test.each(['Encounter/e1', 'e1', `${base}/Encounter/e1`, 'HTTP://localhost:8080/fhir/R4/Encounter/e1'])(
    'may be named as %s',
    (valueString) => {
      expect(requestOf({ name: 'encounter', valueString }).encounter).toBe('e1');
    },
  );

  test('on another server is refused', () => {
    const valueString = 'http://127.0.0.1:8081/fhir/R4/Encounter/e1';
    expect(() => requestOf({ name: 'encounter', valueString })).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID' }),
    );
  });
});

describe('the patient in the URL', () => {
  test.each(['//evil.example/x', 'a b', '_history\0', 'x'.repeat(65)])(
    'is unknown where it is no id: %j, before anything is begun',
    (id) => {
      expect(() => askedAt(id)).toThrow(expect.objectContaining({ code: 'SUBJECT_UNKNOWN' }));
    },
  );

  test('is the subject', () => {
    expect(askedAt('p-1.x').subject).toEqual({ id: 'p-1.x' });
  });
});
