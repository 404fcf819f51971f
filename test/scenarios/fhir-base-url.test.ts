import type { Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { predictOverHttp, type ReadInput, readInputs, readOutcomes } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';
import { transactionOf } from '../support/transaction-of.ts';

const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
const asOf = '2026-03-01T11:00:00Z';
const models = ['prevent-base', 'pce-2013'];
const records: Resource[][] = [...generateSamplePatients({ patients: 20, seed: 1, referenceDate: clock.now() })];
const showcase = 'sample-0001';
const fhirTimeoutMs = 1_000;

describe('clinical data on another server, named by FHIR_BASE_URL', () => {
  const faults: StubFault[] = [];
  let stub: StubFhirServer;
  let own: StartedFhirsight;
  let overStub: StartedFhirsight;
  let overFhirsight: StartedFhirsight;

  beforeAll(async () => {
    own = await startFhirsight({ clock, models });
    for (const record of records) {
      const answer = await send(own.fhir, 'POST', transactionOf(record, { fullUrls: false }), {
        Prefer: 'return=minimal',
      });
      if (answer.status !== 200) throw new Error(`sample patients were refused: ${answer.text}`);
    }
    stub = await startStubFhirServer({ resources: records.flat(), faults });
    const over = (base: string) =>
      startFhirsight({ clock, models, settings: { FHIR_BASE_URL: base, FHIR_TIMEOUT_MS: String(fhirTimeoutMs) } });
    overStub = await over(stub.base);
    overFhirsight = await over(own.fhir);
  });
  afterAll(async () => {
    await overStub?.close();
    await overFhirsight?.close();
    await own?.close();
    await stub?.close();
  });

  /** The answer of the own store with every reference made absolute, as it must come from a server at `base`. */
  function elsewhere(inputs: ReadonlyMap<string, ReadInput>, base: string, versions: boolean): Map<string, ReadInput> {
    return new Map(
      [...inputs].map(([name, input]) => {
        const sources = input.sources.map((source) => {
          const { reference } = source;
          if (reference === undefined) return source;
          return { ...source, reference: `${base}/${versions ? reference : reference.replace(/\/_history\/.*$/, '')}` };
        });
        return [name, { ...input, sources }];
      }),
    );
  }

  function expectSame(local: Answer, remote: Answer, base: string, versions: boolean): void {
    expect(remote.status, remote.text).toBe(local.status);
    expect(readOutcomes(remote)).toEqual(readOutcomes(local));
    if (local.status !== 200) return;
    expect(readInputs(remote)).toEqual(elsewhere(readInputs(local), base, versions));
    const { subject, basis = [] } = remote.body as RiskAssessment;
    expect(subject.reference).toBe(`${base}/${(local.body as RiskAssessment).subject.reference}`);
    expect(basis.length).toBe((local.body as RiskAssessment).basis?.length);
    for (const { reference } of basis) expect(reference?.startsWith(`${base}/`)).toBe(true);
  }

  it('20 sample patients: the same verdicts, values and inputs as from the own store, with absolute references', async () => {
    const statuses = new Map<number, number>();
    for (const [patient] of records) {
      for (const model of models) {
        const call = { model, asOf };
        const id = patient?.id ?? '';
        const local = await predictOverHttp(own.fhir, id, call);
        statuses.set(local.status, (statuses.get(local.status) ?? 0) + 1);
        expectSame(local, await predictOverHttp(overStub.fhir, id, call), stub.base, false);
        expectSame(local, await predictOverHttp(overFhirsight.fhir, id, call), own.fhir, true);
      }
    }
    expect([...statuses.keys()].sort()).toEqual([200, 422]);
    expect(statuses.get(200)).toBeGreaterThanOrEqual(10);
  });

  it('a patient that server does not have is unknown, whoever else has it', async () => {
    const stored = await send(`${overStub.fhir}/Patient/here-only`, 'PUT', {
      resourceType: 'Patient',
      id: 'here-only',
    });
    expect(stored.status).toBe(201);
    const answer = await predictOverHttp(overStub.fhir, 'here-only', { model: 'prevent-base', asOf });
    expect(answer.status).toBe(404);
    expect(answer.body.issue[0].code).toBe('not-found');
  });

  it('a result is written to the own store and never to that server', async () => {
    const before = stub.requests.length;
    const answer = await predictOverHttp(overStub.fhir, showcase, { model: 'prevent-base', asOf, writeBack: true });
    expect(answer.status).toBe(200);
    expect((await send(`${overStub.fhir}/RiskAssessment/${answer.body.id}`)).body.subject.reference).toBe(
      `${stub.base}/Patient/${showcase}`,
    );
    expect(new Set(stub.requests.slice(before).map(({ method }) => method))).toEqual(new Set(['GET']));
  });

  const hangs: [string, StubFault][] = [
    ['takes the request and never answers', { kind: 'hang' }],
    ['stops in the middle of its answer', { kind: 'hang-mid-body' }],
    ['never answers one of the searches', { kind: 'hang', on: 'search', type: 'Condition' }],
    ['never gives the second page', { kind: 'hang', on: 'next', type: 'Observation' }],
  ];
  const failures: [string, StubFault][] = [
    ['resets the connection', { kind: 'reset' }],
    ['resets the connection in the middle of its answer', { kind: 'reset-mid-body' }],
    ['answers HTML', { kind: 'html' }],
    ['answers HTML to one of the searches', { kind: 'html', on: 'search', type: 'MedicationRequest' }],
    ['answers 500', { kind: 'status', status: 500 }],
    ['answers 500 to one of the searches', { kind: 'status', status: 500, on: 'search', type: 'Encounter' }],
    ['answers 503', { kind: 'status', status: 503 }],
    ['cuts its answer off', { kind: 'truncate' }],
    ['answers with an OperationOutcome as if it were the result', { kind: 'outcome-instead', on: 'search' }],
    ['says inside the Bundle that the search is incomplete', { kind: 'outcome-error', on: 'search' }],
    ['mixes in resources of another patient', { kind: 'foreign-patient', on: 'search', type: 'Observation' }],
  ];

  async function outcomesKept(): Promise<string | undefined> {
    const { rows } = await overStub.house.database.query<{ n: string }>('select count(*)::text as n from outcomes');
    return rows[0]?.n;
  }

  it.each([
    ...hangs.map(([what, fault]) => ({ what, fault, status: 504, code: 'timeout' })),
    ...failures.map(([what, fault]) => ({ what, fault, status: 503, code: 'transient' })),
  ])(
    'that server $what: $status with issue code $code in time, nothing kept, and the next prediction is right',
    async ({ fault, status, code }) => {
      const call = { model: 'prevent-base', asOf };
      const healthy = await predictOverHttp(overStub.fhir, showcase, call);
      const kept = await outcomesKept();
      faults.push(fault);
      const startedMs = performance.now();
      const broken = await predictOverHttp(overStub.fhir, showcase, call).finally(() => faults.pop());
      const tookMs = performance.now() - startedMs;
      expect({ status: broken.status, type: broken.body.resourceType }, broken.text).toEqual({
        status,
        type: 'OperationOutcome',
      });
      expect(broken.body.issue).toHaveLength(1);
      expect(broken.body.issue[0]).toMatchObject({ severity: 'error', code });
      expect(broken.body.issue[0].diagnostics).toContain(stub.base);
      expect(broken.headers.get('content-type')).toMatch(/^application\/fhir\+json/);
      // One request may take the timeout; a page or two come before the one that hangs.
      expect(tookMs).toBeLessThan(4 * fhirTimeoutMs + 1_000);
      expect(await outcomesKept()).toBe(kept);
      expect((await send(`${overStub.url}/health/live`)).status).toBe(200);
      const after = await predictOverHttp(overStub.fhir, showcase, call);
      expect(after.status).toBe(200);
      expect(after.body.identifier).toEqual(healthy.body.identifier);
    },
  );

  it('a server that is not there any more: 503, and the own store still answers', async () => {
    const gone = await startStubFhirServer({ resources: [] });
    const server = await startFhirsight({
      clock,
      settings: { FHIR_BASE_URL: gone.base, FHIR_TIMEOUT_MS: String(fhirTimeoutMs) },
    });
    await gone.close();
    try {
      const answer = await predictOverHttp(server.fhir, showcase, { model: 'prevent-base', asOf });
      expect(answer.status).toBe(503);
      expect(answer.body.issue[0].code).toBe('transient');
      expect((await send(`${server.fhir}/Patient?_count=1`)).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  it('a server that answers each request too slowly for PREDICT_TIMEOUT_MS: 504', async () => {
    const server = await startFhirsight({
      clock,
      settings: { FHIR_BASE_URL: stub.base, FHIR_TIMEOUT_MS: '120000', PREDICT_TIMEOUT_MS: '300' },
    });
    faults.push({ kind: 'hang' });
    try {
      const startedMs = performance.now();
      const answer = await predictOverHttp(server.fhir, showcase, { model: 'prevent-base', asOf });
      expect(answer.status).toBe(504);
      expect(answer.body.issue[0].code).toBe('timeout');
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    } finally {
      faults.pop();
      await server.close();
    }
  });
});
