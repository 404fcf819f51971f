import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseFhirJson } from '../../src/fhir/fhir-json.ts';
import { createResourceValidator, type ResourceValidator } from '../../src/fhir/validate-resource.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { casesDir, casesPresent } from '../support/cases.ts';

const validator: ResourceValidator = createResourceValidator();
const observation = (extra: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'x' },
  ...extra,
});

test('a plain Observation and a plain Patient are valid', () => {
  expect(validator.findings(observation({ valueQuantity: { value: 1.5, unit: 'kg' } }))).toEqual([]);
  expect(
    validator.findings({
      resourceType: 'Patient',
      birthDate: '1970-05',
      name: [{ given: ['a', null], _given: [null, { extension: [{ url: 'http://x', valueCode: 'y' }] }] }],
    }),
  ).toEqual([]);
});

describe('refuses, and says where', () => {
  test.each([
    ['an unknown type', { resourceType: 'Project' }, 'structure', 'Resource'],
    ['no type', { id: 'x' }, 'structure', 'Resource'],
    ['an unknown element', observation({ colour: 'red' }), 'structure', 'Observation'],
    [
      'an element of the library that is not R4',
      { resourceType: 'Patient', meta: { project: 'x' } },
      'structure',
      'Patient.meta',
    ],
    ['a missing element', { resourceType: 'Observation', status: 'final' }, 'required', 'Observation'],
    ['a missing status', { resourceType: 'Observation', code: { text: 'x' } }, 'required', 'Observation'],
    [
      'a missing choice',
      { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { reference: 'Patient/1' } },
      'required',
      'MedicationRequest',
    ],
    ['two values', observation({ valueString: 'a', valueInteger: 1 }), 'structure', 'Observation'],
    ['a status that is no code of its binding', observation({ status: 'done' }), 'code-invalid', 'Observation.status'],
    [
      'a MedicationRequest status that is none',
      {
        resourceType: 'MedicationRequest',
        status: 'final',
        intent: 'order',
        subject: { reference: 'Patient/1' },
        medicationCodeableConcept: { text: 'x' },
      },
      'code-invalid',
      'MedicationRequest.status',
    ],
    ['an unknown gender', { resourceType: 'Patient', gender: 'f' }, 'code-invalid', 'Patient.gender'],
    [
      'an unknown clinical status',
      {
        resourceType: 'Condition',
        subject: { reference: 'Patient/1' },
        clinicalStatus: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'maybe' }],
        },
      },
      'code-invalid',
      'Condition.clinicalStatus',
    ],
    ['a date that does not exist', { resourceType: 'Patient', birthDate: '2024-02-30' }, 'value', 'Patient.birthDate'],
    [
      'a dateTime without an offset',
      observation({ effectiveDateTime: '2024-05-01T10:00:00' }),
      'value',
      'Observation.effectiveDateTime',
    ],
    ['an instant without a time', observation({ issued: '2024-05-01' }), 'value', 'Observation.issued'],
    [
      'a malformed reference',
      observation({ subject: { reference: 'patient 17' } }),
      'value',
      'Observation.subject.reference',
    ],
    ['a malformed id', observation({ id: 'a_b' }), 'value', 'Observation.id'],
    ['a null', observation({ subject: null }), 'invalid', 'Observation.subject'],
    [
      'a null in an array',
      { resourceType: 'Patient', name: [{ given: ['a', null] }] },
      'invalid',
      'Patient.name[0].given[1]',
    ],
    ['an empty array', observation({ note: [] }), 'invalid', 'Observation.note'],
    ['an empty object', observation({ subject: {} }), 'invalid', 'Observation.subject'],
    ['an empty string', observation({ valueString: '' }), 'invalid', 'Observation.valueString'],
    ['a control character', observation({ valueString: 'a\u0000' }), 'invalid', 'Observation.valueString'],
    ['half a surrogate pair', observation({ valueString: 'a\ud800' }), 'invalid', 'Observation.valueString'],
    [
      'a number as text',
      observation({ valueQuantity: { value: '1.5' } }),
      'structure',
      'Observation.valueQuantity.value',
    ],
    ['a fraction as integer', observation({ valueInteger: 1.5 }), 'structure', 'Observation.valueInteger'],
    [
      'a value beyond the doubles',
      observation({ valueQuantity: { value: Number.POSITIVE_INFINITY } }),
      'structure',
      'Observation.valueQuantity.value',
    ],
    [
      'an invalid contained resource',
      observation({ contained: [{ resourceType: 'Patient', id: 'p', gender: 'x' }] }),
      'code-invalid',
      'Observation.contained[0].gender',
    ],
    [
      'contained in contained',
      observation({ contained: [{ resourceType: 'Patient', id: 'p', contained: [{ resourceType: 'Patient' }] }] }),
      'invariant',
      'Observation.contained[0].contained[0]',
    ],
    [
      'an invalid entry of a Bundle',
      { resourceType: 'Bundle', type: 'collection', entry: [{ resource: { resourceType: 'Patient', gender: 'x' } }] },
      'code-invalid',
      'Bundle.entry[0].resource.gender',
    ],
    [
      'an invalid resource in Parameters',
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'a', part: [{ name: 'b', resource: { resourceType: 'Patient', gender: 'x' } }] }],
      },
      'code-invalid',
      'Parameters.parameter[0].part[0].resource.gender',
    ],
  ])('%s', (_name, resource, code, expression) => {
    expect(validator.findings(resource)).toContainEqual(expect.objectContaining({ code, expression }));
  });

  test('all findings at once, but no more than twenty', () => {
    const findings = validator.findings({ ...observation({ status: 'done', effectiveDateTime: 'x' }) });
    expect(findings.map((finding) => finding.expression)).toEqual([
      'Observation.status',
      'Observation.effectiveDateTime',
    ]);
    const many = { resourceType: 'Patient', name: Array.from({ length: 50 }, () => ({ use: 'x' })) };
    expect(() => validator.validate(many)).toThrow(PredictionError);
    expect(validator.findings(many)).toHaveLength(20);
  });

  test('what nests for ever, without falling over it', () => {
    let deep: object = { url: 'http://x', valueString: 'x' };
    for (let level = 0; level < 5000; level++) deep = { url: 'http://x', extension: [deep] };
    expect(validator.findings({ resourceType: 'Patient', extension: [deep] })[0]?.message).toContain('deeper');
  });

  test('long text that would keep a naive pattern busy for longer than a test may take', () => {
    const findings = validator.findings({
      resourceType: 'Binary',
      contentType: 'text/plain',
      data: `${'abcd '.repeat(100_000)}!`,
    });
    expect(findings).toHaveLength(1);
  });
});

describe.runIf(casesPresent)('real resources', () => {
  test('the official R4 examples are valid', () => {
    const folder = path.join(casesDir, 'fhir/r4_examples');
    for (const file of readdirSync(folder)) {
      expect(validator.findings(parseFhirJson(readFileSync(path.join(folder, file), 'utf8'))), file).toEqual([]);
    }
  });

  test('the 27,533 synthetic resources are valid', () => {
    const text = gunzipSync(readFileSync(path.join(casesDir, 'fhir/synthea_patients.ndjson.gz'))).toString('utf8');
    let count = 0;
    for (const line of text.trim().split('\n')) {
      count++;
      const findings = validator.findings(JSON.parse(line));
      if (findings.length > 0) expect(findings, line.slice(0, 100)).toEqual([]);
    }
    expect(count).toBe(27_533);
  });
});

describe('lists that are longer than any real one', () => {
  const named = (last: unknown) => ({
    resourceType: 'Patient',
    name: [...new Array(2_000).fill({ family: 'Long' }), last],
  });

  test('are refused for the one fault at their end as for one at their beginning', () => {
    expect(validator.findings(named({ family: 'Last' }))).toEqual([]);
    expect(validator.findings(named({ family: 7 }))).not.toEqual([]);
    expect(validator.findings(named(0))).not.toEqual([]);
  });

  test('are not gone through fault by fault, which would hold up everybody', () => {
    const found = validator.findings({ resourceType: 'Patient', name: new Array(50_000).fill(0) });
    expect(found).toHaveLength(1);
  });

  test('of resources in Parameters are gone through, also where a fault stands beside them', () => {
    const resource = { resourceType: 'Basic', code: { text: 'x' } };
    const parameter = new Array(200_000).fill({ name: 'resource', resource });
    const found = validator.findings({ resourceType: 'Parameters', id: 'not an id', parameter });
    expect(found[0]?.expression).toContain('Parameters.id');
  });

  test('and faults that hide a value nested without end behind them are refused all the same', () => {
    let nested: unknown = { url: 'urn:x', valueString: 'x' };
    for (let depth = 0; depth < 20_000; depth++) nested = { url: 'urn:x', extension: [nested] };
    const faults = new Array(30).fill('');
    const found = validator.findings({ resourceType: 'Patient', id: 'x', faults, extension: [nested] });
    expect(found.length).toBeGreaterThan(0);
  });
});
