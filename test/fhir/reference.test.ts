import { expect, test } from 'vitest';
import { canonicalReference, isWellFormedReference, parseRelativeReference } from '../../src/fhir/reference.ts';

const base = 'https://ehr.example.org/fhir';

test.each([
  ['Patient/17', undefined, 'Patient/17'],
  ['Patient/17/_history/3', undefined, 'Patient/17'],
  [`${base}/Patient/17`, undefined, 'Patient/17'],
  [`${base}/Patient/17/_history/3`, undefined, 'Patient/17'],
  ['urn:uuid:17', 'Patient', 'Patient/17'],
  ['urn:uuid:17', 'Encounter', 'Encounter/17'],
  ['urn:uuid:17', undefined, 'urn:uuid:17'],
  ['https://ehr.example.org/fhir2/Patient/17', undefined, 'https://ehr.example.org/fhir2/Patient/17'],
  ['https://other.org/fhir/Patient/17/_history/1', undefined, 'https://other.org/fhir/Patient/17'],
  ['#contained', undefined, undefined],
])('%s (as %s) is compared as %s', (reference, type, expected) => {
  expect(canonicalReference(reference, base, type)).toBe(expected);
});

test.each([
  ['HTTPS://EHR.example.org:443/fhir/Patient/17', base, 'Patient/17'],
  ['http://ehr.example.org/fhir/Patient/17', base, 'Patient/17'],
  ['https://ehr.example.org:8443/fhir/Patient/17', base, 'https://ehr.example.org:8443/fhir/Patient/17'],
  ['https://ehr.example.org/FHIR/Patient/17', base, 'https://ehr.example.org/FHIR/Patient/17'],
  ['http://localhost:8080/fhir/R4/Patient/17', 'http://127.0.0.1:8080/fhir/R4', 'Patient/17'],
  ['http://[::1]:8080/fhir/R4/Patient/17', 'http://localhost:8080/fhir/R4', 'Patient/17'],
  [
    'http://127.0.0.1:8081/fhir/R4/Patient/17',
    'http://127.0.0.1:8080/fhir/R4',
    'http://127.0.0.1:8081/fhir/R4/Patient/17',
  ],
  [
    'https://localhost:8080/fhir/R4/Patient/17',
    'http://127.0.0.1:8080/fhir/R4',
    'https://localhost:8080/fhir/R4/Patient/17',
  ],
  ['http://localhost/fhir/Patient/17', base, 'http://localhost/fhir/Patient/17'],
  ['http://:bad:/Patient/17', base, 'http://:bad:/Patient/17'],
])('a patient of this server is not taken for another: %s below %s is %s', (reference, own, expected) => {
  expect(canonicalReference(reference, own)).toBe(expected);
});

test('a reference is a fragment, Type/id, or an absolute URL', () => {
  expect(
    ['#', '#a', 'Patient/1', 'Patient/1/_history/2', 'http://x.org/a', 'urn:uuid:x', 'urn:oid:1.2'].every(
      isWellFormedReference,
    ),
  ).toBe(true);
  expect(
    ['Patient', 'Patient/', 'patient/1', '/Patient/1', 'Patient?identifier=1', 'Patient/a b', '17', ''].some(
      isWellFormedReference,
    ),
  ).toBe(false);
  expect(parseRelativeReference(`Patient/${'x'.repeat(65)}`)).toBeUndefined();
});
