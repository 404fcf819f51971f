import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../src/platform/database.ts';
import type { Delivery, StoredResult } from '../../../src/write-back/sinks/delivery.ts';
import { createNdjsonSink } from '../../../src/write-back/sinks/ndjson-sink.ts';
import type { NdjsonSink } from '../../../src/write-back/sinks/sink-schema.ts';
import { isTaggedSuperseded } from '../../../src/write-back/superseded-tag.ts';
import { type DeliveryBench, openDeliveryBench, sinkAt } from '../../support/delivery-bench.ts';
import { outcomeBase, resourcesOf, scoredRecord } from '../../support/outcome-record.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { createVirtualTime } from '../../support/virtual-time.ts';

let opened: TestDatabase;
let database: Database;
let folder: string;
const open: DeliveryBench[] = [];

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(async () => {
  for (const table of ['outcomes', 'resources', 'resource_versions', 'deliveries'])
    await database.query(`delete from ${table}`);
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'fhirsight-ndjson-')), 'out');
});
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close();
  await rm(path.dirname(folder), { recursive: true });
});
afterAll(() => opened.close());

function bench(changes: Partial<NdjsonSink> = {}, start?: string): DeliveryBench {
  const made = openDeliveryBench(
    database,
    [sinkAt('ndjson', folder, changes)],
    start === undefined ? {} : { time: createVirtualTime(start) },
  );
  open.push(made);
  return made;
}

const patient = (number: number, changes = {}) => scoredRecord(`s${number}`, { subjectId: `p${number}`, ...changes });
const allDelivered = ({ pending, sending, dead }: { pending: number; sending: number; dead: number }) =>
  pending + sending + dead === 0;

/** Every line of every file, files in the order of their names. */
async function lines(): Promise<Resource[]> {
  const files = (await readdir(folder)).sort();
  expect(files.every((file) => /^ehr-\d{8}T\d{9}Z-[0-9a-f]{8}\.ndjson$/.test(file))).toBe(true);
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  return texts.flatMap((text) => text.trimEnd().split('\n')).map((line) => JSON.parse(line) as Resource);
}

const ofType = <Kind extends Resource>(all: Resource[], type: Kind['resourceType']) =>
  all.filter(({ resourceType }) => resourceType === type) as Kind[];

test('a batch is one file with a line per resource, complete when it appears under its name', async () => {
  const made = bench();
  await made.write(...[1, 2, 3].map((number) => patient(number)));
  made.deliveries.start();
  await made.until(allDelivered);
  const all = await lines();
  expect(all.map(({ resourceType }) => resourceType)).toEqual([
    'Device',
    ...[1, 2, 3].flatMap(() => ['RiskAssessment', 'Provenance']),
  ]);
  const [result] = ofType<RiskAssessment>(all, 'RiskAssessment');
  expect(result?.subject?.reference).toMatch(new RegExp(`^${outcomeBase}/Patient/p\\d$`));
  const [row] = await made.deliveries.list({ count: 1 });
  expect(row?.receipt?.file).toBe((await readdir(folder))[0]);
});

test('a result that gives way comes once more, as its newer version; the files sort in the order of their writing', async () => {
  const made = bench();
  const first = patient(1);
  await made.write(first);
  made.deliveries.start();
  await made.until(allDelivered);
  await made.write(patient(1, { asOf: new Date('2026-03-01T10:00:00Z') }));
  await made.until(allDelivered);
  const results = ofType<RiskAssessment>(await lines(), 'RiskAssessment');
  const last = new Map(results.map((result) => [result.identifier?.[0]?.value, result]));
  expect(results).toHaveLength(3);
  expect(isTaggedSuperseded(last.get(first.identifier) as RiskAssessment)).toBe(true);
  expect([...last.values()].filter((result) => !isTaggedSuperseded(result))).toHaveLength(1);
  expect(last.get(first.identifier)?.meta?.versionId).toBe('2');
});

test('a writer that was killed leaves no second file: its batch is written under the same name', async () => {
  const made = bench();
  await made.write(...[1, 2, 3].map((number) => patient(number)));
  made.deliveries.start();
  await made.until(allDelivered);
  const before = await readdir(folder);
  await made.close();
  open.splice(0);
  // As a kill leaves it: the file is there, the receipts are not.
  await database.query(
    `update deliveries set state = 'sending', receipt = null, lease_until = now(), delivered_at = null`,
  );
  const next = bench({}, '2026-03-02T09:00:00Z');
  next.deliveries.start();
  await next.until(allDelivered);
  expect(await readdir(folder)).toEqual(before);
  expect(ofType(await lines(), 'RiskAssessment')).toHaveLength(3);
});

test('what gave way after its writer was killed comes in another file, for the one that is there may have been read', async () => {
  const made = bench();
  const first = patient(1);
  await made.write(first, patient(2));
  made.deliveries.start();
  await made.until(allDelivered);
  const [file = ''] = await readdir(folder);
  const before = await readFile(path.join(folder, file), 'utf8');
  await made.close();
  open.splice(0);
  await database.query(
    `update deliveries set state = 'sending', receipt = null, lease_until = now(), delivered_at = null`,
  );
  const next = bench({}, '2026-03-02T09:00:00Z');
  await next.write(patient(1, { asOf: new Date('2026-03-01T10:00:00Z') }));
  next.deliveries.start();
  await next.until(allDelivered);
  expect((await readFile(path.join(folder, file), 'utf8')) === before).toBe(true);
  expect((await readdir(folder)).length).toBeGreaterThan(1);
  const versions = ofType<RiskAssessment>(await lines(), 'RiskAssessment').filter(
    ({ identifier }) => identifier?.[0]?.value === first.identifier,
  );
  expect(versions.map(isTaggedSuperseded)).toEqual([false, true]);
  expect(ofType(await lines(), 'RiskAssessment')).toHaveLength(4);
  expect(ofType(await lines(), 'Provenance')).toHaveLength(3);
});

test('a folder that cannot be written to holds results back without losing one', async () => {
  await writeFile(folder, 'a file where the folder should be');
  const made = bench();
  await made.write(patient(1));
  made.deliveries.start();
  await made.until(() => made.events.some(({ name }) => name === 'delivery.failed'));
  expect((await made.deliveries.list({ count: 1 }))[0]?.lastError).toMatchObject({ reason: 'not-writable' });
  await rm(folder);
  await made.until(allDelivered);
  expect(ofType(await lines(), 'RiskAssessment')).toHaveLength(1);
});

test('what gave way after its writer was killed comes under another name although the file was taken away', async () => {
  const made = bench();
  const first = patient(1);
  await made.write(first);
  made.deliveries.start();
  await made.until(allDelivered);
  const [read = ''] = await readdir(folder);
  await rm(path.join(folder, read));
  await made.close();
  open.splice(0);
  await database.query(
    `update deliveries set state = 'sending', receipt = null, lease_until = now(), delivered_at = null`,
  );
  const next = bench({}, '2026-03-02T09:00:00Z');
  await next.write(patient(1, { asOf: new Date('2026-03-01T10:00:00Z') }));
  next.deliveries.start();
  await next.until(allDelivered);
  expect(await readdir(folder)).not.toContain(read);
  const versions = ofType<RiskAssessment>(await lines(), 'RiskAssessment').filter(
    ({ identifier }) => identifier?.[0]?.value === first.identifier,
  );
  expect(versions.map(isTaggedSuperseded)).toEqual([true]);
});

function storedResult(number: number): StoredResult & { resource: RiskAssessment } {
  const record = patient(number);
  const { result: resource, device } = resourcesOf(record);
  const made = { ...resource, id: `own-${number}`, meta: { versionId: '1' } };
  return { identifier: record.identifier, resource: made, superseded: false, tampered: false, device };
}
const asDelivery = (result: StoredResult, unsure = false) => ({ result, unsure, changed: false });
const send = (sender: string, ...deliveries: Delivery[]) =>
  createNdjsonSink(sinkAt('ndjson', folder), outcomeBase).deliver(
    { batch: '20260302T080000000Z-0000abcd', sender },
    deliveries,
    new AbortController().signal,
    () => false,
  );

test('two senders of one batch, each of which takes the other for dead, leave one file, and it is not changed', async () => {
  const [one, other] = await Promise.all([
    send('a', asDelivery(storedResult(1)), asDelivery(storedResult(2))),
    send('b', asDelivery(storedResult(1)), asDelivery(storedResult(2))),
  ]);
  expect(one.outcomes).toEqual(other.outcomes);
  const files = await readdir(folder);
  expect(files).toEqual(['ehr-20260302T080000000Z-0000abcd.ndjson']);
  const before = await readFile(path.join(folder, files[0] ?? ''), 'utf8');
  const { resource, ...rest } = storedResult(1);
  const newer = { ...rest, resource: { ...resource, id: 'own-1', meta: { versionId: '2' } } };
  const { outcomes } = await send('c', asDelivery(newer));
  expect((await readFile(path.join(folder, files[0] ?? ''), 'utf8')) === before).toBe(true);
  expect(outcomes.get(rest.identifier)).toMatchObject({
    receipt: { resources: { [rest.identifier]: { version: '1' } } },
  });
});

test('what cannot be written to its end leaves nothing behind, and the drafts of dead senders go', async () => {
  await send('a', asDelivery(storedResult(1)));
  const published = await readdir(folder);
  await rm(path.join(folder, published[0] ?? ''));
  const noRoom = storedResult(2);
  Object.defineProperty(noRoom.resource, 'note', {
    enumerable: true,
    get: () => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    },
  });
  const { outcomes } = await send('b', asDelivery(storedResult(1)), asDelivery(noRoom));
  expect(outcomes.get(noRoom.identifier)).toMatchObject({ error: { reason: 'not-writable' } });
  expect(await readdir(folder)).toEqual([]);
  await writeFile(path.join(folder, `${published[0]}.dead.tmp`), 'half');
  await send('c', asDelivery(storedResult(1), true));
  expect(await readdir(folder)).toEqual(published);
});
