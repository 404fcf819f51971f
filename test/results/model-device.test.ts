import { expect, test } from 'vitest';
import { modelDevice, modelDeviceId } from '../../src/results/model-device.ts';
import { buildProvenance } from '../../src/results/provenance.ts';
import { resultRequest, source } from '../support/result-request.ts';
import { strictR4Issues } from '../support/strict-r4.ts';

const { model } = resultRequest();

test('DEV-1 DEV-2 a model version with its weights is one Device of the AI-Device shape', () => {
  const device = modelDevice(model);
  expect(strictR4Issues(device)).toEqual([]);
  expect(device).toMatchObject({
    id: 'model-test-model-1.2.3-ab12cd34ef56',
    identifier: [
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
  expect(modelDeviceId({ ...model, digest: 'f'.repeat(64) })).not.toBe(modelDeviceId(model));
  const long = { id: 'm'.repeat(64), version: '10.20.30', digest: model.digest };
  expect(modelDeviceId(long)).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
  expect(modelDeviceId({ ...long, version: '10.20.31' })).not.toBe(modelDeviceId(long));
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
  expect(strictR4Issues(provenance)).toEqual([]);
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
