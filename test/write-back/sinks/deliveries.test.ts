import type { Device, Provenance, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/platform/database.ts';
import type { SinkSettings } from '../../../src/write-back/sinks/sink-schema.ts';
import { isTaggedSuperseded } from '../../../src/write-back/superseded-tag.ts';
import { type DeliveryBench, openDeliveryBench, sinkAt } from '../../support/delivery-bench.ts';
import { outcomeBase, scoredRecord } from '../../support/outcome-record.ts';
import { type StubSinkServer, startStubSinkServer } from '../../support/stub-sink-server.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { createVirtualTime } from '../../support/virtual-time.ts';

let opened: TestDatabase;
let database: Database;
let sink: StubSinkServer;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(async () => {
  for (const table of ['outcomes', 'resources', 'resource_versions', 'deliveries'])
    await database.query(`delete from ${table}`);
  sink = await startStubSinkServer();
});
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close();
  await sink.close();
});
afterAll(async () => {
  await opened.close();
});

function bench(...sinks: SinkSettings[]): DeliveryBench {
  const made = openDeliveryBench(database, sinks);
  open.push(made);
  return made;
}

const patient = (number: number, changes = {}) => scoredRecord(`s${number}`, { subjectId: `p${number}`, ...changes });
const patients = (count: number) => Array.from({ length: count }, (_, number) => patient(number + 1));
const later = { asOf: new Date('2026-03-01T10:00:00Z') };
const allDelivered = ({ pending, sending, dead }: { pending: number; sending: number; dead: number }) =>
  pending + sending + dead === 0;
const settled = ({ pending, sending }: { pending: number; sending: number }) => pending + sending === 0;

/** Results at the sink by identifier; throws where one is there twice. */
function held(): Map<string, RiskAssessment> {
  const all = sink.all<RiskAssessment>('RiskAssessment');
  const byIdentifier = new Map(all.map((result) => [result.identifier?.[0]?.value ?? '', result]));
  expect(byIdentifier.size).toBe(all.length);
  return byIdentifier;
}

function errorOf(bench: DeliveryBench, index = 0): Promise<unknown> {
  return bench.deliveries.list({ count: 10 }).then((rows) => rows[index]?.lastError);
}

const kinds = ['fhir-transaction', 'fhir-creates'] as const;

describe.each(kinds)('a sink of kind %s', (kind) => {
  test('gets every result once, with one Device and a Provenance each, and receipts say where', async () => {
    const records = patients(25);
    const made = bench(sinkAt(kind, sink.base));
    await made.write(...records);
    made.deliveries.start();
    await made.until(allDelivered);
    expect([...held().keys()].sort()).toEqual(records.map(({ identifier }) => identifier).sort());
    expect(sink.all<Device>('Device')).toHaveLength(1);
    const provenances = sink.all<Provenance>('Provenance');
    expect(provenances).toHaveLength(25);
    const named = provenances.map(({ target }) => target?.[0]?.reference?.split('/_history')[0]).sort();
    expect(named).toEqual(
      sink
        .all('RiskAssessment')
        .map(({ id }) => `RiskAssessment/${id}`)
        .sort(),
    );
    const [row] = await made.deliveries.list({ count: 1 });
    expect(row).toMatchObject({ state: 'delivered', sink: 'ehr', attempts: 0 });
    const there = held().get(row?.identifier ?? '');
    expect(row?.receipt?.resources[row.identifier]).toEqual({ reference: `RiskAssessment/${there?.id}`, version: '1' });
  });

  test('names what lives here by absolute URLs, its own Device by its own name', async () => {
    const made = bench(sinkAt(kind, sink.base));
    const record = patient(1, { encounterId: 'e1' });
    await made.write(record);
    made.deliveries.start();
    await made.until(allDelivered);
    const result = held().get(record.identifier);
    expect(result?.subject?.reference).toBe(`${outcomeBase}/Patient/p1`);
    expect(result?.encounter?.reference).toBe(`${outcomeBase}/Encounter/e1`);
    expect(result?.basis?.every(({ reference }) => reference?.startsWith(`${outcomeBase}/`) ?? true)).toBe(true);
    expect(result?.performer?.reference).toBe(`Device/${sink.all('Device')[0]?.id}`);
    expect(sink.all<Provenance>('Provenance')[0]?.agent?.[0]?.who?.reference).toBe(result?.performer?.reference);
  });

  test('that is cut off after it did what was asked holds nothing twice after the retry', async () => {
    sink.faults.push({ method: 'POST', does: 'cut-after', times: 4 }, { method: 'PUT', does: 'cut-after', times: 2 });
    const records = patients(6);
    const made = bench(sinkAt(kind, sink.base));
    await made.write(...records);
    made.deliveries.start();
    await made.until(allDelivered);
    expect(held().size).toBe(6);
    expect(sink.all('Provenance')).toHaveLength(6);
    expect(sink.all('Device')).toHaveLength(1);
  });

  test('that ignores If-None-Exist is searched before a repeat, and holds nothing twice either', async () => {
    await sink.close();
    sink = await startStubSinkServer({ ignoresIfNoneExist: true });
    sink.faults.push({ method: 'POST', does: 'cut-after', times: 3 });
    const made = bench(sinkAt(kind, sink.base));
    await made.write(...patients(5));
    made.deliveries.start();
    await made.until(allDelivered);
    expect(held().size).toBe(5);
  });

  test('that hangs is given up after the timeout, asked again with growing pauses, and gets everything once', async () => {
    sink.faults.push({ does: 'hang', times: 3 });
    const made = bench(sinkAt(kind, sink.base, { timeoutMs: 60 }));
    await made.write(...patients(3));
    made.deliveries.start();
    await made.until(allDelivered, 20_000);
    expect(held().size).toBe(3);
    const pauses = made.events.flatMap((event) => (event.name === 'delivery.failed' ? [event.retryInMs] : []));
    expect(pauses.slice(0, 2)).toEqual([1_000, 2_000]);
  });

  test.each([
    [429, { 'retry-after': '120' }, 120_000],
    [503, {}, 1_000],
    [401, {}, 1_000],
    [404, {}, 1_000],
  ])(
    'that answers %i is left alone for as long as it asks, and no result dies of it',
    async (status, headers, pause) => {
      sink.faults.push({ does: { status, headers } });
      const made = bench(sinkAt(kind, sink.base, { maxAttempts: 2 }));
      await made.write(...patients(3));
      made.deliveries.start();
      await made.until(() => made.events.filter(({ name }) => name === 'delivery.failed').length >= 5, 20_000);
      const [first] = made.events.flatMap((event) => (event.name === 'delivery.failed' ? [event] : []));
      expect(first).toMatchObject({ status, retryInMs: pause });
      expect((await made.deliveries.summary())[0]).toMatchObject({ dead: 0, delivered: 0 });
      sink.faults.length = 0;
      await made.until(allDelivered);
      expect(held().size).toBe(3);
    },
  );

  test.each([400, 422])(
    'that answers %i to one result gets the others, and the one is a dead letter at once',
    async (status) => {
      const poison = patient(2);
      const body = {
        resourceType: 'OperationOutcome',
        issue: [
          { severity: 'error', code: 'invalid', expression: ['RiskAssessment.basis'], diagnostics: 'about Mr Zzyzx' },
        ],
      };
      sink.faults.push({ method: 'POST', holding: poison.identifier, does: { status, body } });
      const made = bench(sinkAt(kind, sink.base));
      await made.write(patient(1), poison, patient(3));
      made.deliveries.start();
      await made.until(settled);
      expect([...held().keys()].sort()).toEqual([patient(1).identifier, patient(3).identifier].sort());
      const [dead] = await made.deliveries.list({ state: 'dead', count: 10 });
      expect(dead).toMatchObject({
        identifier: poison.identifier,
        attempts: 1,
        lastError: { reason: 'rejected', status },
      });
      expect(dead?.lastError?.text).toContain('invalid at RiskAssessment.basis');
      expect(JSON.stringify([dead, made.events])).not.toContain('Zzyzx');
    },
  );

  test('that answers 500 to one result again and again gets the others; the one is dead after maxAttempts, and re-driven', async () => {
    const poison = patient(2);
    sink.faults.push({ holding: poison.identifier, does: { status: 500 } });
    const made = bench(sinkAt(kind, sink.base, { maxAttempts: 3 }));
    await made.write(patient(1), poison, patient(3));
    made.deliveries.start();
    await made.until(settled);
    expect((await made.deliveries.summary())[0]).toMatchObject({ delivered: 2, dead: 1 });
    expect(await made.deliveries.list({ state: 'dead', count: 10 })).toMatchObject([
      { identifier: poison.identifier, attempts: 3, lastError: { reason: 'failed', status: 500 } },
    ]);
    sink.faults.length = 0;
    expect(await made.deliveries.redrive({ sink: 'ehr', identifiers: [poison.identifier] })).toBe(1);
    await made.until(allDelivered);
    expect(held().size).toBe(3);
  });

  test('that reports a conflict (409) is tried again, and holds nothing twice', async () => {
    sink.faults.push({ method: 'POST', does: { status: 409 }, times: 3 });
    const made = bench(sinkAt(kind, sink.base));
    await made.write(...patients(2));
    made.deliveries.start();
    await made.until(allDelivered);
    expect(held().size).toBe(2);
  });

  test('that holds the identifier twice already (412) makes a dead letter that says so', async () => {
    const record = patient(1);
    const twin = {
      resourceType: 'RiskAssessment',
      identifier: [{ system: 'https://fhirsight.org/fhir/NamingSystem/prediction', value: record.identifier }],
    };
    for (let copy = 0; copy < 2; copy++)
      await fetch(`${sink.base}/RiskAssessment`, { method: 'POST', body: JSON.stringify(twin) });
    const made = bench(sinkAt(kind, sink.base));
    await made.write(record);
    made.deliveries.start();
    await made.until(settled);
    expect(await errorOf(made)).toMatchObject({ reason: 'multiple-matches' });
    expect(sink.all('RiskAssessment')).toHaveLength(2);
  });

  test('gets the tag of a result that gave way after it was delivered, and holds one current result', async () => {
    const first = patient(1);
    const second = patient(1, later);
    const made = bench(sinkAt(kind, sink.base));
    await made.write(first);
    made.deliveries.start();
    await made.until(allDelivered);
    await made.write(second);
    await made.until(allDelivered);
    const results = held();
    expect(isTaggedSuperseded(results.get(first.identifier) as RiskAssessment)).toBe(true);
    expect(isTaggedSuperseded(results.get(second.identifier) as RiskAssessment)).toBe(false);
    expect(sink.all('Provenance')).toHaveLength(2);
  });

  test('keeps what its own people wrote into a result that gave way', async () => {
    const first = patient(1);
    const made = bench(sinkAt(kind, sink.base));
    await made.write(first);
    made.deliveries.start();
    await made.until(allDelivered);
    const there = held().get(first.identifier) as RiskAssessment & { id: string };
    const commented = { ...there, note: [...(there.note ?? []), { text: 'seen by the synthetic ward' }] };
    await fetch(`${sink.base}/RiskAssessment/${there.id}`, { method: 'PUT', body: JSON.stringify(commented) });
    await made.write(patient(1, later));
    await made.until(allDelivered);
    const now = held().get(first.identifier) as RiskAssessment;
    expect(now.note?.at(-1)?.text).toBe('seen by the synthetic ward');
    expect(isTaggedSuperseded(now)).toBe(true);
  });

  test('is not bothered with a result that gave way before its turn', async () => {
    const made = bench(sinkAt(kind, sink.base));
    await made.write(patient(1));
    await made.write(patient(1, later));
    made.deliveries.start();
    await made.until(allDelivered);
    expect([...held().keys()]).toEqual([patient(1, later).identifier]);
    const skipped = (await made.deliveries.list({ count: 10 })).filter(
      ({ receipt }) => receipt?.skipped === 'superseded',
    );
    expect(skipped.map(({ identifier }) => identifier)).toEqual([patient(1).identifier]);
  });

  test('gets a result that stands again without its tag, also where updates keep tags', async () => {
    const made = bench(sinkAt(kind, sink.base));
    const first = patient(1);
    await made.write(first);
    made.deliveries.start();
    await made.until(allDelivered);
    await made.write(patient(1, later));
    await made.until(allDelivered);
    expect(isTaggedSuperseded(held().get(first.identifier) as RiskAssessment)).toBe(true);
    const again = new Date('2026-03-01T11:00:00Z');
    await database.query('update outcomes set as_of = $1 where identifier = $2', [
      again.toISOString(),
      first.identifier,
    ]);
    await made.write({ ...first, asOf: again, computedAt: new Date('2026-03-01T12:00:00Z') });
    await made.until(allDelivered);
    expect(isTaggedSuperseded(held().get(first.identifier) as RiskAssessment)).toBe(false);
    expect(isTaggedSuperseded(held().get(patient(1, later).identifier) as RiskAssessment)).toBe(true);
  });

  test('whose sender was killed is asked by the next one, and holds nothing twice', async () => {
    const records = patients(7);
    const time = createVirtualTime();
    const killed = openDeliveryBench(database, [sinkAt(kind, sink.base, { timeoutMs: 60_000 })], { time });
    await killed.write(...records);
    // It sends, the sink does what it is asked, and no receipt is ever written down: as if the process had ended.
    sink.faults.push({ method: 'POST', path: kind === 'fhir-creates' ? 'RiskAssessment' : '', does: 'hang' });
    killed.deliveries.start();
    await killed.until(() => sink.requests.some(({ body }) => body.includes('RiskAssessment')));
    sink.faults.length = 0;
    const body = sink.requests.find((request) => request.method === 'POST' && request.body.includes('RiskAssessment'));
    await fetch(`${sink.base}/${body?.path}`, { method: 'POST', body: body?.body ?? '' });
    await database.query("update deliveries set lease_until = now() where state = 'sending'");
    const next = openDeliveryBench(database, [sinkAt(kind, sink.base)], {
      time: createVirtualTime('2026-03-02T09:00:00Z'),
    });
    open.push(killed, next);
    next.deliveries.start();
    await next.until(allDelivered);
    expect(held().size).toBe(7);
    expect(sink.all('Device')).toHaveLength(1);
  });

  test('is shared by two servers on one database, and holds nothing twice', async () => {
    const records = patients(40);
    const one = bench(sinkAt(kind, sink.base, { batchSize: 5 }));
    const other = bench(sinkAt(kind, sink.base, { batchSize: 5 }));
    await one.write(...records);
    one.deliveries.start();
    other.deliveries.start();
    await one.until(allDelivered);
    expect(held().size).toBe(40);
  });

  test('that moved to another address is asked there what it holds before anything is written', async () => {
    const made = bench(sinkAt(kind, sink.base));
    const first = patient(1);
    await made.write(first);
    made.deliveries.start();
    await made.until(allDelivered);
    const strangers = await startStubSinkServer();
    // The very id of the receipt belongs to somebody else there.
    await fetch(
      `${strangers.base}/${Object.values((await made.deliveries.list({ count: 1 }))[0]?.receipt?.resources ?? {})[0]?.reference}`,
      {
        method: 'PUT',
        body: JSON.stringify({
          resourceType: 'RiskAssessment',
          status: 'final',
          subject: { reference: 'Patient/other' },
        } satisfies Resource),
      },
    );
    await made.close();
    open.splice(0);
    const moved = bench(sinkAt(kind, strangers.base));
    await moved.write(patient(1, later));
    moved.deliveries.start();
    await moved.until(allDelivered);
    const there = strangers.all<RiskAssessment>('RiskAssessment');
    expect(there.find(({ subject }) => subject?.reference === 'Patient/other')?.meta?.tag).toBeUndefined();
    expect(there.filter(({ identifier }) => identifier?.[0]?.value === patient(1, later).identifier)).toHaveLength(1);
    await strangers.close();
  });

  test('that deleted a result is not given it again unless somebody re-drives it', async () => {
    const made = bench(sinkAt(kind, sink.base));
    const first = patient(1);
    await made.write(first);
    made.deliveries.start();
    await made.until(allDelivered);
    for (const { id } of sink.all('RiskAssessment')) sink.remove(`RiskAssessment/${id}`);
    await made.write(patient(1, later));
    await made.until(allDelivered);
    expect([...held().keys()].filter((identifier) => identifier === patient(1, later).identifier)).toHaveLength(1);
    expect([...held().values()].filter((result) => !isTaggedSuperseded(result))).toHaveLength(1);
  });
});

test('a sink that hangs delays neither another sink nor the writing of results', async () => {
  const slow = await startStubSinkServer();
  slow.faults.push({ does: 'hang' });
  const made = bench(
    sinkAt('fhir-transaction', slow.base, { name: 'slow', timeoutMs: 60_000 }),
    sinkAt('fhir-creates', sink.base),
  );
  await made.write(...patients(5));
  made.deliveries.start();
  await made.until(({ delivered }) => delivered === 5);
  await made.write(patient(6));
  await made.until(({ delivered }) => delivered === 6);
  expect((await made.deliveries.summary()).map(({ sink: name, delivered }) => [name, delivered])).toEqual([
    ['ehr', 6],
    ['slow', 0],
  ]);
  await slow.close();
});

test.each(kinds)(
  'a stored result that cannot be put into form dies alone, and the others are delivered by %s',
  async (kind) => {
    const spoilt = patient(2);
    const made = bench(sinkAt(kind, sink.base));
    await made.write(patient(1), spoilt, patient(3));
    await database.query(
      `update resources set body = '{"resourceType":"RiskAssessment","id":"x","identifier":[null]}'
     where id = (select resource_id from deliveries where identifier = $1)`,
      [spoilt.identifier],
    );
    made.deliveries.start();
    await made.until(settled);
    expect((await made.deliveries.summary())[0]).toMatchObject({ delivered: 2, dead: 1 });
    expect(await made.deliveries.list({ state: 'dead', count: 2 })).toMatchObject([
      { identifier: spoilt.identifier, lastError: { reason: 'unprepared' } },
    ]);
  },
);

test('closing ends a request under way, and the next start finds out what became of it', async () => {
  sink.faults.push({ method: 'POST', does: 'hang', times: 1 });
  const made = openDeliveryBench(database, [sinkAt('fhir-transaction', sink.base, { timeoutMs: 600_000 })]);
  await made.write(...patients(3));
  made.deliveries.start();
  await made.until(() => sink.requests.length > 0);
  await made.close();
  expect((await made.deliveries.summary())[0]).toMatchObject({ pending: 3, sending: 0 });
  const next = bench(sinkAt('fhir-transaction', sink.base));
  next.deliveries.start();
  await next.until(allDelivered);
  expect(held().size).toBe(3);
});

test('a token is read at each use, sent as a bearer token, and missing it stops the sink without losing a result', async () => {
  const { mkdtemp, writeFile, rm } = await import('node:fs/promises');
  const path = await import('node:path');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-token-'));
  const tokenFile = path.join(folder, 'token');
  const made = bench(sinkAt('fhir-transaction', sink.base, { tokenFile }));
  await made.write(patient(1));
  made.deliveries.start();
  await made.until(() => made.events.some(({ name }) => name === 'delivery.failed'));
  expect(await errorOf(made)).toMatchObject({ reason: 'unreachable', text: expect.stringContaining('token file') });
  await writeFile(tokenFile, 'synthetic-token\n');
  await made.until(allDelivered);
  expect(sink.requests.every(({ headers }) => headers.authorization === 'Bearer synthetic-token')).toBe(true);
  await rm(folder, { recursive: true });
});

test('a Device that the sink refuses stops the sink and names the setting; no result dies of it', async () => {
  sink.faults.push({ method: 'POST', path: 'Device', does: { status: 422 } });
  const made = bench(sinkAt('fhir-creates', sink.base));
  await made.write(...patients(2));
  made.deliveries.start();
  await made.until(() => made.events.some(({ name }) => name === 'delivery.failed'));
  expect(await errorOf(made)).toMatchObject({ text: expect.stringContaining('"device": "identifier"') });
  await made.close();
  open.splice(0);
  const without = bench(sinkAt('fhir-creates', sink.base, { device: 'identifier', provenance: 'none' }));
  without.deliveries.start();
  await without.until(allDelivered);
  expect([...held().values()].map(({ performer }) => performer?.identifier?.value)).toEqual([
    expect.stringContaining('test-model|1.2.3|'),
    expect.stringContaining('test-model|1.2.3|'),
  ]);
  expect(sink.all('Provenance')).toHaveLength(0);
});
