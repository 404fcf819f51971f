import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';
import { createQuickCheck } from '../../src/fhir/quick-check.ts';
import { createResourceSchemas, formats } from '../../src/fhir/resource-schemas.ts';
import { resourceTypes } from '../../src/fhir/resource-types.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { buildResult } from '../../src/results/build-result.ts';
import { modelDevice } from '../../src/results/model-device.ts';
import { resultRequest, testCard } from '../support/result-request.ts';
import { seededRandom } from '../support/seeded-random.ts';

const validator = createResourceValidator();
const { definitionOf } = createResourceSchemas();
const check = createQuickCheck({
  definitionOf,
  formats,
  resource: (value, depth) => quick(value, depth),
});
function quick(value: unknown, depth = 0): boolean {
  const { resourceType } = value as Resource;
  return resourceTypes.has(resourceType) && check(resourceType)(value, depth);
}
/** Without the entries of Bundles the validator takes no short cut. */
const thorough = (value: unknown) => validator.findings(value, undefined, { entries: false });

function samples(): Resource[] {
  const referenceDate = new Date('2026-03-01T12:00:00Z');
  const patients = [...generateSamplePatients({ patients: 6, seed: 11, referenceDate })].flat();
  return [...patients, buildResult(resultRequest()), modelDevice(resultRequest().model, testCard)];
}

type Holder = Record<string, unknown>;

/** Values that may or may not fit where they are put. */
const oddValues: readonly unknown[] = [
  null,
  '',
  ' ',
  'text',
  'two  blanks',
  'bell\u0007',
  'half \ud800',
  'ümläut',
  'no\u00a0break',
  '\u2028',
  `27 kg/m² ${'−'.repeat(20)}`,
  `${'long text '.repeat(8)}\u0007`,
  '2026-02-30',
  '2026-02-28',
  '2026-02-28T24:00:00Z',
  '2026-02-28T08:00:00+15:00',
  '2026-02-28T08:00:00.1Z',
  'Patient/1',
  'patient/1',
  `Patient/${'x'.repeat(65)}`,
  '#contained',
  'not a reference',
  'final',
  'active',
  0,
  -1,
  1.5,
  3e10,
  true,
  [],
  {},
  [null],
  ['text'],
  [{}],
  { value: 1 },
  { reference: 'Patient/1' },
  [{ url: 'http://x', valueString: 'y' }],
  [{ url: 'http://x', valueString: 'y', valueCode: 'z' }],
  [{ resourceType: 'Medication', id: 'm' }],
  [{ resourceType: 'Medication', contained: [{ resourceType: 'Patient' }] }],
];
const oddNames = [
  'colour',
  '_status',
  'valueString',
  '_valueString',
  'extension',
  'contained',
  'id',
  'meta',
  'value',
  'code',
];

function holdersIn(value: unknown): Holder[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Holder, ...Object.values(value).flatMap(holdersIn)];
}

/** The same with the elements of every object in another order. */
function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((each) => shuffled(each, random));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [random(), key, shuffled(each, random)] as const);
  return Object.fromEntries(entries.sort(([one], [other]) => one - other).map(([, key, each]) => [key, each]));
}

function mutated(resource: Resource, random: () => number): unknown {
  const copy = structuredClone(resource);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const holder = pick(holdersIn(copy));
  const keys = Object.keys(holder);
  const key = random() < 0.25 || keys.length === 0 ? pick(oddNames) : pick(keys);
  if (random() < 0.2) delete holder[key];
  else holder[key] = structuredClone(pick(oddValues));
  return JSON.parse(JSON.stringify(copy));
}

describe('the quick check of what is valid', () => {
  test('knows every type of R4', () => {
    for (const type of resourceTypes) expect(definitionOf(type), type).toBeDefined();
  });

  test('tells what is valid without the thorough one: resources as they come, and results as they are built', () => {
    for (const resource of samples()) {
      expect(thorough(resource)).toEqual([]);
      expect(quick(resource), JSON.stringify(resource)).toBe(true);
    }
  });

  test('never passes what the thorough check refuses: with it and without the findings are the same', () => {
    const random = seededRandom(20);
    const resources = samples();
    let refused = 0;
    let passed = 0;
    for (let round = 0; round < 6_000; round++) {
      const value = mutated(resources[round % resources.length] as Resource, random);
      const findings = thorough(value);
      if (findings.length > 0) refused += 1;
      else passed += 1;
      expect(validator.findings(value), JSON.stringify(value)).toEqual(findings);
    }
    expect(refused).toBeGreaterThan(1_000);
    expect(passed).toBeGreaterThan(200);
  });

  test('tells what is valid in whatever order its elements come', () => {
    const random = seededRandom(21);
    for (const resource of samples()) {
      for (let round = 0; round < 5; round++) {
        const other = shuffled(resource, random);
        expect(quick(other), JSON.stringify(other)).toBe(true);
      }
    }
  });

  test('leaves what nests too deep to the thorough one', () => {
    let extension: object = { url: 'http://x', valueString: 'y' };
    for (let depth = 0; depth < 40; depth++) extension = { url: 'http://x', extension: [extension] };
    expect(quick({ resourceType: 'Patient', extension: [extension] })).toBe(false);
  });
});

describe('a Bundle, whose resources are checked with it', () => {
  const bundle = (resource: unknown) => ({ resourceType: 'Bundle', type: 'collection', entry: [{ resource }] });

  test('is refused for what is wrong in a resource of it, once, and by its place', () => {
    const findings = validator.findings(bundle({ resourceType: 'Patient', name: [{ family: '' }] }));
    expect(findings.filter(({ expression }) => expression === 'Bundle.entry[0].resource.name[0].family').length).toBe(
      findings.length,
    );
    expect(findings.length).toBeGreaterThan(0);
  });

  test('is refused for a code that predictions rest on', () => {
    const status = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'maybe' }] };
    const condition = { resourceType: 'Condition', subject: { reference: 'Patient/1' }, clinicalStatus: status };
    expect(validator.findings(bundle(condition))).toMatchObject([
      { code: 'code-invalid', expression: 'Bundle.entry[0].resource.clinicalStatus' },
    ]);
  });
});
