import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type {
  CodeSystem,
  Extension,
  NamingSystem,
  OperationDefinition,
  Resource,
  StructureDefinition,
} from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { missingReasons, verdictStates } from '../../src/features/feature-vector.ts';
import { buildResult } from '../../src/results/build-result.ts';
import { extensionUrls } from '../../src/results/canonical-urls.ts';
import { gradeTexts } from '../../src/results/model-device.ts';
import { supersededTag } from '../../src/write-back/superseded-tag.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { readR4Definitions } from '../support/checked/r4-definitions.ts';
import { withSnapshot } from '../support/checked/with-snapshot.ts';
import { mostProbable, progression } from '../support/outcomes-of-each-kind.ts';
import { resultOfOutcomes } from '../support/result-of-outcomes.ts';
import { buildRisk, resultRequest } from '../support/result-request.ts';

const folder = path.resolve(import.meta.dirname, '../../fhir-profiles');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

function read<Kind extends Resource>(name: string): Kind {
  return JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as Kind;
}

const codesOf = (name: string) => read<CodeSystem>(`CodeSystem-${name}`).concept?.map(({ code }) => code);

test.each(files)('%s is valid base R4 and named after its type, id and canonical URL', (file) => {
  const resource = read<StructureDefinition | NamingSystem>(file.replace('.json', ''));
  expect(checkResource(resource)).toEqual([]);
  expect(file).toBe(`${resource.resourceType}-${resource.id}.json`);
  // R4 gives a NamingSystem no url: it is named by its uniqueId.
  const canonical = resource.resourceType === 'NamingSystem' ? resource.uniqueId[0]?.value : resource.url;
  expect(canonical).toBe(`https://fhirsight.org/fhir/${resource.resourceType}/${resource.id}`);
});

test('the code systems hold exactly the codes of the product', () => {
  expect(codesOf('missing-reason')).toEqual([...missingReasons]);
  expect(codesOf('prediction-verdict')).toEqual([...verdictStates]);
  expect(codesOf('feature-state')).toEqual(['observed', 'derived', 'asserted', 'imputed', 'assumed-absent', 'missing']);
  expect(codesOf('batch-grade')).toEqual(Object.keys(gradeTexts));
  expect(codesOf('result-state')).toEqual([supersededTag.code]);
  expect(read<CodeSystem>('CodeSystem-result-state').url).toBe(supersededTag.system);
});

const structures = files
  .filter((name) => name.startsWith('StructureDefinition-'))
  .map((name) => read<StructureDefinition>(name.replace('.json', '')));

const definitions = readR4Definitions();

test.each(structures)(
  'the snapshot of $id is what its base and its differential make: node scripts/write-profiles.ts makes it again',
  (definition) => {
    expect(definition.snapshot?.element.length).toBeGreaterThan(4);
    expect(definition).toEqual(withSnapshot(definition, definitions));
  },
);

test('RA-1 OB-1 DR-1 DEV-1 PRV-1 AUD-1 AIT-5: every kind of resource that this server writes has a profile', () => {
  const profiled = structures.filter(({ kind }) => kind === 'resource').map(({ type }) => type);
  expect(profiled.toSorted()).toEqual([
    'AuditEvent',
    'Device',
    'DiagnosticReport',
    'DocumentReference',
    'Observation',
    'Provenance',
    'Provenance',
    'RiskAssessment',
  ]);
});

test('every extension that a result carries has its StructureDefinition, and none is defined without a use', () => {
  const defined = structures.filter(({ type }) => type === 'Extension').map(({ url }) => url);
  expect(defined.toSorted()).toEqual(Object.values(extensionUrls).toSorted());
});

/** Checks one extension against the slices of its definition: names, cardinalities, value types. */
function check(extension: Extension, definition: StructureDefinition, id: string): void {
  const elements = definition.differential?.element ?? [];
  const value = Object.keys(extension).find((key) => key.startsWith('value'));
  const declared = elements.find((element) => element.id === `${id}.value[x]`);
  if (value === undefined) expect(declared?.max).toBe('0');
  else expect(declared?.type?.map(({ code }) => `value${code?.[0]?.toUpperCase()}${code?.slice(1)}`)).toContain(value);
  const slices = elements.filter((element) =>
    new RegExp(`^${RegExp.escape(id)}\\.extension:[a-z]+$`, 'i').test(element.id ?? ''),
  );
  for (const slice of slices) {
    const parts = (extension.extension ?? []).filter(({ url }) => url === slice.sliceName);
    expect(parts.length).toBeGreaterThanOrEqual(slice.min ?? 0);
    if (slice.max !== '*') expect(parts.length).toBeLessThanOrEqual(Number(slice.max));
    for (const part of parts) check(part, definition, slice.id ?? '');
  }
  const names = slices.map(({ sliceName }) => sliceName);
  for (const { url } of extension.extension ?? []) expect(names).toContain(url);
}

test('every extension of a result conforms to its StructureDefinition', () => {
  const result = buildRisk(resultRequest());
  const extensions = [
    ...(result.extension ?? []),
    ...(result.prediction ?? []).flatMap(({ extension }) => extension ?? []),
    ...[progression, mostProbable].flatMap(
      (outcome) => buildResult(resultOfOutcomes([outcome], [0, 210, 0.2, 0.8])).extension ?? [],
    ),
  ];
  expect(new Set(extensions.map(({ url }) => url))).toEqual(new Set(Object.values(extensionUrls)));
  for (const extension of extensions) {
    check(extension, read(`StructureDefinition-${extension.url.split('/').at(-1)}`), 'Extension');
  }
});

test('OP-1 OP-2 OP-6 GX-1 $predict is a state-changing operation of Patient and ImagingStudy, at system, type and instance level', () => {
  const operation = read<OperationDefinition>('OperationDefinition-predict');
  expect(operation).toMatchObject({
    code: 'predict',
    affectsState: true,
    resource: ['Patient', 'ImagingStudy'],
    system: true,
    type: true,
    instance: true,
  });
  const parameters = operation.parameter ?? [];
  expect(parameters.map(({ name, use, min, max, type }) => [name, use, min, max, type])).toEqual([
    ['model', 'in', 1, '1', 'string'],
    ['version', 'in', 0, '1', 'string'],
    ['asOf', 'in', 0, '1', 'dateTime'],
    ['subject', 'in', 0, '1', 'string'],
    ['study', 'in', 0, '1', 'string'],
    ['encounter', 'in', 0, '1', 'string'],
    ['resource', 'in', 0, '*', 'Resource'],
    ['useServerData', 'in', 0, '1', 'boolean'],
    ['input', 'in', 0, '*', undefined],
    ['writeBack', 'in', 0, '1', 'boolean'],
    ['explain', 'in', 0, '1', 'boolean'],
    ['return', 'out', 1, '1', 'Resource'],
  ]);
  for (const parameter of [...parameters, ...parameters.flatMap(({ part }) => part ?? [])]) {
    expect(parameter.type === undefined, `opd-1 ${parameter.name}`).toBe(parameter.part !== undefined);
    if (parameter.searchType !== undefined) expect(parameter.type, 'opd-2').toBe('string');
  }
});
