import type { DocumentReference } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { modelDevice } from '../../src/results/model-device.ts';
import { buildProvenance } from '../../src/results/provenance.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { resultRequest, source, testCard } from '../support/result-request.ts';

const { model } = resultRequest();

test('DEV-1 DEV-2 a model version with its weights is one Device of the AI-Device shape', () => {
  const device = modelDevice(model, testCard);
  expect(checkResource(device)).toEqual([]);
  expect(device).toMatchObject({
    id: expect.stringMatching(/^model-test-model-1\.2\.3-ab12cd34ef56-[0-9a-f]{8}$/),
    identifier: [
      {
        system: 'https://fhirsight.org/fhir/NamingSystem/model-engine',
        value: expect.stringMatching(
          new RegExp(`^test-model\\|1\\.2\\.3\\|${model.digest}\\|onnxruntime-1\\.30\\.0-cpu-bitwise\\|[0-9a-f]{8}$`),
        ),
      },
      { system: 'https://fhirsight.org/fhir/NamingSystem/model', value: `test-model|1.2.3|${model.digest}` },
    ],
    deviceName: [
      { name: 'Test model', type: 'user-friendly-name' },
      { name: 'test-model', type: 'model-name' },
    ],
    version: [{ value: '1.2.3' }],
  });
  expect(device.type?.coding?.[0]?.code).toBe('Artificial-Intelligence');
});

test('DEV-2 other weights are another Device, and a long model id still gives a valid id', () => {
  const idOf = (version: typeof model): string => modelDevice(version, testCard).id;
  expect(idOf({ ...model, digest: 'f'.repeat(64) })).not.toBe(idOf(model));
  const long = { ...model, id: 'm'.repeat(64), version: '10.20.30' };
  expect(idOf(long)).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
  expect(idOf({ ...long, version: '10.20.31' })).not.toBe(idOf(long));
});

test('AIT-3 AIT-5 DSI-40 the Device refers to its card, which it holds as an AI-ModelCard', () => {
  const device = modelDevice(model, '# Card\n\n≥ 18 years\n');
  expect(device.extension).toEqual([
    {
      url: 'http://hl7.org/fhir/uv/aitransparency/StructureDefinition/aitransparency.modelCardDescription',
      valueReference: { reference: '#model-card' },
    },
  ]);
  const [card] = device.contained ?? [];
  expect(card).toMatchObject({
    resourceType: 'DocumentReference',
    id: 'model-card',
    meta: { profile: ['http://hl7.org/fhir/uv/aitransparency/StructureDefinition/AI-ModelCard'] },
    type: { coding: [{ code: 'AIModelCard' }] },
    category: [{ coding: [{ code: 'AIModelCardMarkdownFormat' }] }],
  });
  const attachment = (card as DocumentReference).content?.[0]?.attachment;
  expect(attachment?.contentType).toBe('text/markdown');
  expect(Buffer.from(attachment?.data ?? '', 'base64').toString()).toBe('# Card\n\n≥ 18 years\n');
});

test('DEV-2 a Device that says anything else is another: its card, its words', () => {
  const device = modelDevice(model, testCard);
  for (const other of [
    modelDevice(model, `${testCard}More.\n`),
    modelDevice({ ...model, manifest: { ...model.manifest, description: 'Other.' } }, testCard),
  ]) {
    expect(other.id).not.toBe(device.id);
    expect(other.identifier?.[0]).not.toEqual(device.identifier?.[0]);
    expect(other.identifier?.[1]).toEqual(device.identifier?.[1]);
  }
  expect(modelDevice({ ...model }, testCard)).toEqual(device);
});

test('the Device says what ran the model and whether a subject scores the same alone and in company', () => {
  const device = modelDevice(model, testCard);
  expect(device.property?.map(({ valueCode }) => valueCode?.[0]?.coding?.[0]?.code ?? valueCode?.[0]?.text)).toEqual([
    'onnxruntime 1.30.0',
    'cpu',
    'bitwise',
  ]);
});

test.each<Partial<typeof model.engine>>([
  { runtime: 'onnxruntime 1.31.0' },
  { batches: { grade: 'tolerance', maxDifference: 1e-7 } },
  { batches: { grade: 'padded', padTo: 16 } },
  { threads: 2 },
  { device: { policy: 'prefer-gpu', provider: 'cuda' } },
])('DEV-2 the same weights on an engine that may give other bits are another Device: %j', (change) => {
  const other = modelDevice({ ...model, engine: { ...model.engine, ...change } }, testCard);
  const device = modelDevice(model, testCard);
  expect(other.id).not.toBe(device.id);
  expect(other.identifier?.[0]).not.toEqual(device.identifier?.[0]);
  expect(other.identifier?.[1]).toEqual(device.identifier?.[1]);
});

test('DEV-2 the multiple that rows are filled up to and the threads are in the name, for other bits may come of them', () => {
  const nameOf = (change: Partial<typeof model.engine>): string | undefined =>
    modelDevice({ ...model, engine: { ...model.engine, ...change } }, testCard)
      .identifier?.[0]?.value?.split('|')
      .at(-2);
  expect(nameOf({ batches: { grade: 'padded', padTo: 2 } })).toBe('onnxruntime-1.30.0-cpu-padded2');
  expect(nameOf({ batches: { grade: 'padded', padTo: 16 } })).toBe('onnxruntime-1.30.0-cpu-padded16');
  expect(nameOf({ threads: 2 })).toBe('onnxruntime-1.30.0-cpu-bitwise-2threads');
  expect(nameOf({ threads: 1 })).toBe('onnxruntime-1.30.0-cpu-bitwise');
});

test('DEV-2 what differs from one start to the next does not change the Device', () => {
  const tolerance = (maxDifference: number) =>
    modelDevice({ ...model, engine: { ...model.engine, batches: { grade: 'tolerance', maxDifference } } }, testCard);
  expect(tolerance(1e-7)).toEqual(tolerance(2e-7));
});

test('PRV-1 PRV-2 AIT-4 a Provenance names the version, the Device, the reason AIAST and each source once', () => {
  const provenance = buildProvenance({
    target: 'RiskAssessment/r1/_history/1',
    deviceReference: 'Device/d1',
    computedAt: new Date('2026-03-01T09:00:12.345Z'),
    recorded: new Date('2026-03-01T09:00:13Z'),
    timeZone: 'UTC',
    basis: [
      source('Observation/bp/_history/1'),
      source('Observation/bp/_history/1'),
      { reference: '', display: 'sent' },
    ],
  });
  expect(checkResource(provenance)).toEqual([]);
  expect(provenance).toMatchObject({
    target: [{ reference: 'RiskAssessment/r1/_history/1' }],
    occurredDateTime: '2026-03-01T09:00:12.345Z',
    recorded: '2026-03-01T09:00:13.000Z',
    reason: [{ coding: [{ code: 'AIAST' }] }],
    agent: [{ role: [{ coding: [{ code: 'Artificial-Intelligence' }] }], who: { reference: 'Device/d1' } }],
    entity: [
      { role: 'source', what: { reference: 'Observation/bp/_history/1' } },
      { role: 'source', what: { display: 'sent' } },
    ],
  });
});

test('a Provenance of a result without sources has no empty list of entities', () => {
  const provenance = buildProvenance({
    target: 'RiskAssessment/r1/_history/1',
    deviceReference: 'Device/d1',
    computedAt: new Date(0),
    recorded: new Date(0),
    timeZone: 'UTC',
    basis: [],
  });
  expect(provenance).not.toHaveProperty('entity');
});
