import type { AuditEvent, Bundle, Device, Observation, Provenance, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkResource } from '../support/checked/check-resource.ts';
import { faultsOf } from '../support/checked/check-written-resources.ts';
import { send } from '../support/fhir-test-server.ts';
import { predictOverHttp } from '../support/predict-call.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { reportOn, seededFaults, type WrittenResources } from '../support/seeded-faults.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

let server: StartedFhirsight;
let written: WrittenResources;

beforeAll(async () => {
  server = await startFhirsight({
    clock: { now: () => new Date('2026-03-01T10:20:30.400Z') },
    models: ['prevent-base', 'ckd-epi-2021'],
  });
  await send(server.fhir, 'POST', transactionOf(scorablePatient('one'), { fullUrls: false }));
  const risk = await result<RiskAssessment>('prevent-base');
  const observation = await result<Observation>('ckd-epi-2021');
  written = {
    risk,
    observation,
    device: await read<Device>(risk.performer?.reference ?? ''),
    provenance: await first<Provenance>('Provenance?_sort=-_lastUpdated'),
    audit: await first<AuditEvent>('AuditEvent?patient=one&subtype=fhir-operation&_count=1'),
    report: reportOn(observation),
  };
});
afterAll(() => server?.close());

async function result<Kind extends Resource>(model: string): Promise<Kind> {
  const { status, body, text } = await predictOverHttp(server.fhir, 'one', { model, writeBack: true });
  expect(status, text).toBe(200);
  return body;
}

async function read<Kind extends Resource>(path: string): Promise<Kind> {
  const { status, body, text } = await send(`${server.fhir}/${path}`);
  expect(status, text).toBe(200);
  return body;
}

async function first<Kind extends Resource>(query: string): Promise<Kind> {
  const resource = (await read<Bundle>(query)).entry?.[0]?.resource;
  if (resource === undefined) throw new Error(`${query} finds nothing`);
  return resource as Kind;
}

it('RA-1 OB-1 DEV-1 PRV-1 AUD-1 AIT-1: what the server wrote passes base R4 and its profiles, without a warning', () => {
  const kinds = Object.values(written).map(({ resourceType }) => resourceType);
  expect(kinds).toEqual(['RiskAssessment', 'Observation', 'Device', 'Provenance', 'AuditEvent', 'DiagnosticReport']);
  for (const resource of Object.values(written)) expect(checkResource(resource)).toEqual([]);
});

it('RA-1 DEV-1 PRV-1: what the server wrote does not escape its profile by saying no longer that the server wrote it', () => {
  const risk = { ...written.risk, identifier: undefined } as unknown as RiskAssessment;
  const device = { ...written.device, identifier: undefined } as unknown as Device;
  const { agent, ...rest } = written.provenance as Provenance;
  const provenance = { ...rest, agent: agent.slice(1) } as Provenance;
  for (const resource of [risk, device, provenance])
    expect(faultsOf([{ file: 'a.test.ts', resource, isOwn: true }]).join()).toContain('no profile was looked at');
  expect(faultsOf([{ file: 'a.test.ts', resource: written.risk, isOwn: true }])).toEqual([]);
});

it.each(seededFaults)('the checker refuses $title', ({ of, seed, found }) => {
  const faulty = structuredClone(written[of]);
  seed(faulty);
  const said = checkResource(faulty).map(({ path, message }) => `${path} ${message}`);
  expect(said).toContainEqual(expect.stringMatching(found));
});
