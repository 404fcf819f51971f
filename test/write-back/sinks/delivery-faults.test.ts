import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bundle, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { storeContext } from '../../../src/fhir/store/store-context.ts';
import { updateResource } from '../../../src/fhir/store/write-resource.ts';
import { createResourceValidator } from '../../../src/fhir/validate-resource.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Database } from '../../../src/platform/database.ts';
import { deliverEachSingly } from '../../../src/write-back/sinks/deliver-singly.ts';
import { createDeliveries } from '../../../src/write-back/sinks/deliveries.ts';
import { openSinkConnection } from '../../../src/write-back/sinks/fhir-sink-server.ts';
import type { SinkSettings } from '../../../src/write-back/sinks/sink-schema.ts';
import { isTaggedSuperseded } from '../../../src/write-back/superseded-tag.ts';
import { type DeliveryBench, openDeliveryBench, sinkAt } from '../../support/delivery-bench.ts';
import { send } from '../../support/fhir-test-server.ts';
import { outboundTo } from '../../support/outbound-to.ts';
import { outcomeBase, resourcesOf, scoredRecord } from '../../support/outcome-record.ts';
import { startFhirsight } from '../../support/start-fhirsight.ts';
import { type StubSinkServer, startStubSinkServer } from '../../support/stub-sink-server.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { createVirtualTime } from '../../support/virtual-time.ts';

let opened: TestDatabase;
let database: Database;
let sink: StubSinkServer;
let folder: string;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(async () => {
  for (const table of ['outcomes', 'resources', 'resource_versions', 'deliveries'])
    await database.query(`delete from ${table}`);
  sink = await startStubSinkServer();
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-faults-'));
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await sink.close();
  await rm(folder, { recursive: true });
});
afterAll(() => opened.close());

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
const identifiersAt = (server: StubSinkServer) =>
  server
    .all<RiskAssessment>('RiskAssessment')
    .map(({ identifier }) => identifier?.[0]?.value)
    .sort();

describe.each(['fhir-transaction', 'fhir-creates'] as const)('a sink of kind %s', (kind) => {
  test.each([401, 403, 404, 503])(
    'that answers %i to one result for ever gets all the others, and the one is a dead letter once it took more of them',
    async (status) => {
      const [poison = patient(1), ...others] = patients(8);
      sink.faults.push({ method: 'POST', holding: poison.identifier, does: { status } });
      const made = bench(sinkAt(kind, sink.base, { maxAttempts: 3 }));
      await made.write(poison);
      for (const record of others) await made.write(record);
      made.deliveries.start();
      await made.until(({ delivered }) => delivered === others.length, 300);
      expect(identifiersAt(sink)).toEqual(others.map(({ identifier }) => identifier).sort());
      await made.write(patient(9));
      await made.until(settled, 5_000);
      expect((await made.deliveries.summary())[0]).toMatchObject({ delivered: others.length + 1, dead: 1 });
      expect(await made.deliveries.list({ state: 'dead', count: 10 })).toMatchObject([
        { identifier: poison.identifier, attempts: 3, lastError: { status } },
      ]);
    },
  );

  test('that holds many such results first gets those behind them', async () => {
    const bad = patients(5);
    for (const { identifier } of bad) sink.faults.push({ method: 'POST', holding: identifier, does: { status: 403 } });
    const made = bench(sinkAt(kind, sink.base, { maxAttempts: 3 }));
    for (const record of bad) await made.write(record);
    await made.write(patient(6), patient(7));
    made.deliveries.start();
    await made.until(({ delivered }) => delivered === 2, 600);
    await made.write(patient(8));
    await made.until(settled, 5_000);
    expect((await made.deliveries.summary())[0]).toMatchObject({ delivered: 3, dead: 5 });
  });

  test('that refuses everything for hours kills no result, also none that it had refused before', async () => {
    sink.faults.push({ does: { status: 403 } });
    const made = bench(sinkAt(kind, sink.base, { maxAttempts: 2, maxRetryMs: 3_600_000 }));
    await made.write(...patients(3));
    made.deliveries.start();
    for (let hour = 0; hour < 6; hour++) {
      const before = sink.requests.length;
      for (let minute = 0; minute < 60 && sink.requests.length === before; minute++) await made.time.advance(60_000);
      await made.until(({ sending }) => sending === 0);
    }
    // One may be on its way again by now.
    const [state] = await made.deliveries.summary();
    expect(state).toMatchObject({ delivered: 0, dead: 0 });
    expect((state?.pending ?? 0) + (state?.sending ?? 0)).toBe(3);
    sink.faults.length = 0;
    await made.until(allDelivered, 7_300);
    expect(identifiersAt(sink)).toHaveLength(3);
  });

  test('whose token file holds two lines is left alone without an attempt, closes, and goes on when it is mended', async () => {
    const tokenFile = path.join(folder, 'token');
    await writeFile(tokenFile, 'one\ntwo\n');
    const made = bench(sinkAt(kind, sink.base, { tokenFile, maxAttempts: 2 }));
    await made.write(...patients(6));
    made.deliveries.start();
    await made.until(() => made.events.filter(({ name }) => name === 'delivery.failed').length >= 8, 1_000);
    expect(sink.requests).toEqual([]);
    const rows = await made.deliveries.list({ count: 10 });
    expect(rows.every(({ state, attempts }) => state === 'pending' && attempts === 0)).toBe(true);
    expect(rows.find(({ lastError }) => lastError !== undefined)?.lastError?.text).toContain('one bearer token');
    await writeFile(tokenFile, 'mended\n');
    await made.until(allDelivered, 1_000);
    expect(identifiersAt(sink)).toHaveLength(6);
  });

  test('keeps its batch although the clock of another server is a day ahead', async () => {
    sink.faults.push({ method: 'POST', path: kind === 'fhir-creates' ? 'RiskAssessment' : '', does: 'hang' });
    const settings = sinkAt(kind, sink.base, { timeoutMs: 600_000, device: 'identifier', provenance: 'none' });
    const one = bench(settings);
    await one.write(...patients(3));
    one.deliveries.start();
    await one.until(() => sink.requests.length > 0);
    const sent = sink.requests.length;
    const other = openDeliveryBench(database, [settings], { time: createVirtualTime('2026-03-03T08:00:00Z') });
    open.push(other);
    other.deliveries.start();
    for (let second = 0; second < 60; second++) {
      await other.deliveries.summary();
      await other.time.advance(1_000);
    }
    expect(sink.requests.slice(sent).filter(({ method }) => method === 'GET')).toEqual([]);
    expect((await one.deliveries.summary())[0]).toMatchObject({ sending: 3 });
  });

  test('gets no number that a client wrote into a stored result: it is a dead letter that says so', async () => {
    const made = bench(sinkAt(kind, sink.base));
    await made.write(patient(1), patient(2));
    await tamper(patient(1).identifier, made);
    made.deliveries.start();
    await made.until(settled);
    expect(identifiersAt(sink)).toEqual([patient(2).identifier]);
    expect(await made.deliveries.list({ state: 'dead', count: 2 })).toMatchObject([
      { lastError: { reason: 'changed', text: expect.stringMatching(/RESULT_INVALID.*changed by somebody else/) } },
    ]);
  });

  test('gets none of it either with the tag of a result that gives way', async () => {
    const made = bench(sinkAt(kind, sink.base));
    await made.write(patient(1));
    made.deliveries.start();
    await made.until(allDelivered);
    await tamper(patient(1).identifier, made);
    await made.write(patient(1, later));
    await made.until(settled);
    expect(sink.requests.some(({ body }) => body.includes('"probabilityDecimal":99'))).toBe(false);
    expect(await made.deliveries.list({ state: 'dead', count: 2 })).toMatchObject([
      { identifier: patient(1).identifier, lastError: { reason: 'changed' } },
    ]);
  });

  test('gets a result that a client commented', async () => {
    const made = bench(sinkAt(kind, sink.base));
    await made.write(patient(1));
    await change(patient(1).identifier, made, (result) => ({ ...result, note: [{ text: 'seen' }] }));
    made.deliveries.start();
    await made.until(allDelivered);
    expect(identifiersAt(sink)).toHaveLength(1);
  });

  test('that cannot let go of the tag of a result that stands again makes a dead letter at once that says so', async () => {
    const ehr = await startFhirsight();
    open.push(ehr);
    const made = bench(sinkAt(kind, ehr.fhir, { timeoutMs: 20_000 }));
    const first = patient(1);
    await made.write(first);
    made.deliveries.start();
    await made.until(allDelivered);
    await made.write(patient(1, later));
    await made.until(allDelivered);
    const again = new Date('2026-03-01T11:00:00Z');
    await database.query('update outcomes set as_of = $1 where identifier = $2', [
      again.toISOString(),
      first.identifier,
    ]);
    await made.write({ ...first, asOf: again, computedAt: new Date('2026-03-01T12:00:00Z') });
    await made.until(settled);
    expect(await made.deliveries.list({ state: 'dead', count: 2 })).toMatchObject([
      { identifier: first.identifier, attempts: 1, lastError: { reason: 'keeps-tag' } },
    ]);
    const { body } = await send(`${ehr.fhir}/RiskAssessment?_count=10`);
    const there = ((body as Bundle).entry ?? []).map(({ resource }) => resource as RiskAssessment);
    // None is current there that is not here: the one that stands is a dead letter.
    expect(there.map(isTaggedSuperseded)).toEqual([true, true]);
  });
});

test('one part that a sink rejects half way leaves the receipt of the part that is there, and the next attempt looks', async () => {
  const record = patient(1);
  const { result: resource, device } = resourcesOf(record);
  const [prediction] = resource.prediction ?? [];
  const second = JSON.parse(JSON.stringify(prediction).replaceAll('ascvd-10y', 'second')) as typeof prediction;
  const two = { ...resource, id: 'own', prediction: [prediction, second].flatMap((one) => one ?? []) };
  const result = { identifier: record.identifier, resource: two, superseded: false, tampered: false, device };
  sink.faults.push({ method: 'POST', holding: 'second', does: { status: 422 } });
  const settings = sinkAt('fhir-creates', sink.base, { as: 'observation', provenance: 'none' });
  const connection = openSinkConnection(settings, {
    ownBase: outcomeBase,
    clock: systemClock,
    outbound: outboundTo(sink.base),
  });
  open.push(connection);
  const delivery = { result, unsure: false, changed: false };
  const server = connection.server(new AbortController().signal);
  const outcome = (await deliverEachSingly(server, [delivery], () => false)).get(record.identifier);
  expect(outcome).toMatchObject({ kind: 'dead', unsure: true });
  const [there] = sink.all('Observation');
  expect(Object.values(outcome?.kind === 'dead' ? (outcome.receipt?.resources ?? {}) : {})).toEqual([
    { reference: `Observation/${there?.id}`, version: '1' },
  ]);
});

test('closing ends although a sink hangs and the timers are real', async () => {
  sink.faults.push({ does: 'hang' });
  const settings = sinkAt('fhir-creates', sink.base, { timeoutMs: 600_000 });
  await bench(settings).write(...patients(6));
  const deliveries = createDeliveries({
    database,
    tenant: 'default',
    sinks: [settings],
    ownBase: outcomeBase,
    outbound: outboundTo(sink.base),
    clock: systemClock,
    newId: randomUUID,
    event: () => undefined,
  });
  deliveries.start();
  while (sink.requests.length === 0) await deliveries.summary();
  await deliveries.close(50);
  expect((await deliveries.summary())[0]).toMatchObject({ sending: 0, pending: 6 });
});

test('a folder gets no number that a client wrote', async () => {
  const made = bench(sinkAt('ndjson', folder));
  await made.write(patient(1), patient(2));
  await tamper(patient(1).identifier, made);
  made.deliveries.start();
  await made.until(settled);
  const files = await Promise.all((await readdir(folder)).map((file) => readFile(path.join(folder, file), 'utf8')));
  expect(files.join('')).not.toContain(patient(1).identifier);
  expect(files.join('')).toContain(patient(2).identifier);
});

/** As a client does over HTTP. */
async function change(
  identifier: string,
  { time }: DeliveryBench,
  work: (result: RiskAssessment) => RiskAssessment,
): Promise<void> {
  const { rows } = await database.query<{ body: string }>(
    `select body::text as body from resources where type = 'RiskAssessment'
     and id = (select resource_id from deliveries where identifier = $1)`,
    [identifier],
  );
  const validator = createResourceValidator();
  const options = { baseUrl: outcomeBase, clock: time.clock, newId: randomUUID, timeZone: 'UTC', validator };
  const client = storeContext({ ...options, database, tenant: 'default' });
  await updateResource(client, work(JSON.parse(rows[0]?.body ?? '') as RiskAssessment));
}

function tamper(identifier: string, made: DeliveryBench): Promise<void> {
  return change(identifier, made, (result) => ({
    ...result,
    prediction: result.prediction?.map((one) => ({ ...one, probabilityDecimal: 99 })) ?? [],
  }));
}
