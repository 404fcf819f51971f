import { describe, expect, test } from 'vitest';
import { parseAuditSearch } from '../../../src/entrances/audit/audit-query.ts';

const own = ['http://127.0.0.1:8080/fhir/R4'];
const query = (name: string, value: string) => parseAuditSearch([[name, value]], { own, timeZone: 'UTC' }).query;

describe('a patient of another server is found', () => {
  test.each([
    'https://EHR.example:443/fhir/Patient/1',
    'https://ehr.example/fhir//Patient/1',
    'HTTPS://ehr.example/fhir/Patient/1',
  ])('however its base is spelled: %s', (value) => {
    const [subject] = query('patient', value).subjects ?? [];
    expect(subject?.bases).toContain('https://ehr.example/fhir');
    expect(subject?.id).toBe('1');
  });

  test('by any name of the loopback host, and not at another port or path', () => {
    const bases = query('patient', 'http://localhost:9000/fhir/Patient/1').subjects?.[0]?.bases ?? [];
    expect(bases).toContain('http://127.0.0.1:9000/fhir');
    expect(bases.every((base) => base.startsWith('http://') && base.endsWith(':9000/fhir'))).toBe(true);
  });
});

describe('who asked is looked for on the server that the reference names', () => {
  test.each(['Practitioner/17', 'http://localhost:8080/fhir/R4/Practitioner/17'])('on this one: %s', (value) => {
    expect(query('agent', value).users).toEqual([{ bases: own, reference: 'Practitioner/17' }]);
  });

  test('on another one, by the reference that an AuditEvent shows', () => {
    const value = 'https://ehr.example/fhir/Practitioner/17';
    expect(query('agent', value).users).toEqual([
      { bases: ['http://ehr.example/fhir', 'https://ehr.example/fhir'], reference: 'Practitioner/17', absolute: value },
    ]);
  });

  test('on none, where the URL is no reference below a base', () => {
    expect(query('agent', 'mailto:somebody@ehr.example').users).toEqual([
      { bases: [], absolute: 'mailto:somebody@ehr.example' },
    ]);
  });
});
