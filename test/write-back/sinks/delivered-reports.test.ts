import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DiagnosticReport, DocumentReference, Observation, Provenance } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/platform/database.ts';
import { reportNamingSystem } from '../../../src/results/canonical-urls.ts';
import type { SinkSettings } from '../../../src/write-back/sinks/sink-schema.ts';
import { isTaggedSuperseded } from '../../../src/write-back/superseded-tag.ts';
import { type DeliveryBench, openDeliveryBench, sinkAt } from '../../support/delivery-bench.ts';
import { abstainedRecord, scoredRecord } from '../../support/outcome-record.ts';
import { reportRecord } from '../../support/report-record.ts';
import { type StubSinkServer, startStubSinkServer } from '../../support/stub-sink-server.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { clearWriteBack } from '../../support/write-back-tables.ts';

let opened: TestDatabase;
let database: Database;
let sink: StubSinkServer;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(async () => {
  await clearWriteBack(database);
  sink = await startStubSinkServer();
});
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close();
  await sink.close();
});
afterAll(() => opened.close());

function bench(settings: SinkSettings): DeliveryBench {
  const made = openDeliveryBench(database, [settings]);
  open.push(made);
  made.deliveries.start();
  return made;
}

const at = (hour: number) => ({
  asOf: new Date(Date.UTC(2026, 2, 1, hour)),
  computedAt: new Date(Date.UTC(2026, 2, 1, hour, 1)),
});
const first = reportRecord('a', at(9));
const late = reportRecord('b', at(10));
const settled = ({ pending, sending }: { pending: number; sending: number }) => pending + sending === 0;
const percentOf = ({ contained = [] }: DiagnosticReport) =>
  (contained[0] as Observation | undefined)?.valueQuantity?.value;
const reports = () => sink.all<DiagnosticReport>('DiagnosticReport');
const edit = async (changes: Partial<DiagnosticReport>) => {
  const [report] = reports();
  await fetch(`${sink.base}/DiagnosticReport/${report?.id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ ...report, ...changes }),
  });
};

async function ownReport(): Promise<string> {
  const { rows } = await database.query<{ id: string }>(`select id from resources where type = 'DiagnosticReport'`);
  if (rows[0] === undefined) throw new Error('no report');
  return rows[0].id;
}

test('a sink that has not asked for reports gets none, and gets the other results', async () => {
  const made = bench(sinkAt('fhir-creates', sink.base));
  await made.writeReport(first);
  await made.write(scoredRecord('a'));
  await made.until(({ delivered }) => delivered === 1);
  expect(reports()).toEqual([]);
  expect(sink.all('RiskAssessment')).toHaveLength(1);
});

describe.each(['fhir-transaction', 'fhir-creates'] as const)('a sink of kind %s that takes reports', (kind) => {
  const asking = () => sinkAt(kind, sink.base, { reports: true });

  test('DR-3: gets a report whole with what it contains, and the amended one in its place, each with its Provenance', async () => {
    const made = bench(asking());
    await made.writeReport(first, 0.37);
    await made.until(({ delivered }) => delivered === 1);
    const [before] = reports();
    expect(percentOf(before as DiagnosticReport)).toBe(37);
    expect(before?.result).toEqual([{ reference: '#finding-1' }]);
    await made.writeReport(late, 0.62);
    await made.until(settled);
    const [after, second] = reports();
    expect(second).toBeUndefined();
    expect(after).toMatchObject({ id: before?.id, status: 'amended' });
    expect(percentOf(after as DiagnosticReport)).toBe(62);
    expect(sink.all<Provenance>('Provenance')).toHaveLength(2);
    const [row] = await made.deliveries.list({ count: 10 });
    expect(row).toMatchObject({ state: 'delivered', result: expect.stringMatching(/^DiagnosticReport\//) });
    expect(after?.identifier).toContainEqual({ system: reportNamingSystem, value: row?.identifier });
  });

  test('RA-7: gets in its place what was made anew after the report was deleted here, though both are version 1', async () => {
    const made = bench(asking());
    await made.writeReport(first, 0.37);
    await made.until(({ delivered }) => delivered === 1);
    await database.query(`update resources set deleted = true where type = 'DiagnosticReport'`);
    await made.writeReport(late, 0.62);
    await made.until(settled);
    expect(reports().map(percentOf)).toEqual([62]);
    expect((await made.deliveries.list({ count: 10 })).map(({ state }) => state)).toEqual(['delivered']);
  });

  test('that is cut off after it took the amended report holds it once', async () => {
    const made = bench(asking());
    await made.writeReport(first);
    await made.until(({ delivered }) => delivered === 1);
    sink.faults.push({ method: 'PUT', path: 'DiagnosticReport', does: 'cut-after', times: 1 });
    await made.writeReport(late, 0.62);
    await made.until(settled);
    expect(reports().map(percentOf)).toEqual([62]);
    expect((await made.deliveries.list({ count: 10 })).map(({ state }) => state)).toEqual(['delivered']);
  });

  test('that took the first report without an answer holds the amended one in its place, and never two', async () => {
    const made = bench(asking());
    sink.faults.push({ method: 'POST', holding: 'DiagnosticReport', does: 'cut-after', times: 1 });
    await made.writeReport(first, 0.37);
    await made.until(() => reports().length === 1);
    await made.writeReport(late, 0.62);
    await made.until(settled);
    expect(reports().map(percentOf)).toEqual([62]);
    expect((await made.deliveries.list({ count: 10 })).map(({ state }) => state)).toEqual(['delivered']);
  });

  test('DR-1 PRV-1: gets what a person confirmed, and then rejected here, in its place, each with a Provenance of its verifier', async () => {
    const made = bench(asking());
    await made.writeReport(first);
    await made.until(({ delivered }) => delivered === 1);
    const [before] = reports();
    for (const [verdict, status] of [
      ['confirmed', 'final'],
      ['rejected', 'entered-in-error'],
    ] as const) {
      await made.review(await ownReport(), verdict);
      await made.until(settled);
      expect(reports()).toMatchObject([{ id: before?.id, status }]);
      expect(reports()[0]?.contained?.map((part) => (part as Observation).status)).toEqual([status]);
    }
    const verifiers = sink
      .all<Provenance>('Provenance')
      .flatMap(({ agent }) => agent)
      .filter(({ type }) => type?.coding?.[0]?.code === 'verifier');
    expect(verifiers).toHaveLength(2);
    expect(verifiers[0]?.who.reference).toMatch(/^https?:.*\/Practitioner\/17$/);
    await made.writeReport(late, 0.62);
    await made.until(settled);
    expect(reports()).toMatchObject([{ id: before?.id, status: 'amended' }]);
    expect(reports()[0]?.resultsInterpreter).toBeUndefined();
  });

  test('that took the unread report without an answer does not pass for having the one that was rejected meanwhile', async () => {
    const made = bench(asking());
    sink.faults.push({ method: 'POST', holding: 'DiagnosticReport', does: 'cut-after', times: 1 });
    await made.writeReport(first);
    await made.until(() => reports().length === 1);
    await made.review(await ownReport(), 'rejected');
    await made.until(settled);
    expect(reports().map(({ status }) => status)).toEqual(['entered-in-error']);
    expect((await made.deliveries.list({ count: 10 })).map(({ state }) => state)).toEqual(['delivered']);
  });

  const read: Partial<DiagnosticReport> = { status: 'final', conclusion: 'Read by a person.' };
  const keepsWhatWasRead = async (made: DeliveryBench) => {
    await made.until(settled);
    expect(reports()).toMatchObject([read]);
    expect(await made.deliveries.list({ count: 10 })).toMatchObject([
      { state: 'dead', lastError: { reason: 'changed-there' } },
    ]);
  };

  test('whose people read the report keeps what they wrote also after it was tagged as superseded there', async () => {
    const made = bench(asking());
    await made.writeReport(first);
    await made.until(({ delivered }) => delivered === 1);
    await edit(read);
    await made.write(abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(10) }));
    await made.until(settled);
    expect(isTaggedSuperseded(reports()[0] as DiagnosticReport)).toBe(true);
    expect(reports()).toMatchObject([read]);
    await made.writeReport(reportRecord('b', at(11)), 0.62);
    await keepsWhatWasRead(made);
  });

  test('whose people read the report after an attempt without an answer keeps what they wrote', async () => {
    const made = bench(asking());
    await made.writeReport(first);
    await made.until(({ delivered }) => delivered === 1);
    sink.faults.push({ method: 'PUT', path: 'DiagnosticReport', does: 'cut-after', times: 1 });
    await made.writeReport(late, 0.62);
    await made.until(() => percentOf(reports()[0] as DiagnosticReport) === 62);
    await edit(read);
    await made.until(settled);
    await made.writeReport(reportRecord('c', at(11)), 0.1);
    await keepsWhatWasRead(made);
  });

  test('that superseded the report itself takes the amended ones after it', async () => {
    const made = bench(asking());
    await made.writeReport(first);
    await made.until(({ delivered }) => delivered === 1);
    await made.write(abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(10) }));
    await made.until(settled);
    await made.writeReport(reportRecord('b', at(11)), 0.62);
    await made.until(settled);
    sink.faults.push({ method: 'PUT', path: 'DiagnosticReport', does: 'cut-after', times: 1 });
    await made.writeReport(reportRecord('c', at(12)), 0.1);
    await made.until(settled);
    await made.writeReport(reportRecord('d', at(13)), 0.2);
    await made.until(settled);
    expect(reports().map(percentOf)).toEqual([20]);
    expect((await made.deliveries.list({ count: 10 })).map(({ state }) => state)).toEqual(['delivered']);
  });

  test('whose people changed the report keeps their change: the amended one is a dead letter that says so', async () => {
    const made = bench(asking());
    await made.writeReport(first);
    await made.until(({ delivered }) => delivered === 1);
    await edit({ conclusion: 'Read by a person.' });
    await made.writeReport(late, 0.62);
    await made.until(settled);
    expect(reports().map(({ conclusion }) => conclusion)).toEqual(['Read by a person.']);
    expect(await made.deliveries.list({ count: 10 })).toMatchObject([
      { state: 'dead', lastError: { reason: 'changed-there' } },
    ]);
  });
});

test.each(['fhir-transaction', 'fhir-creates'] as const)(
  'a sink of kind %s that does not say which version it made is asked, once, so that what people write there is not taken for ours',
  async (kind) => {
    await sink.close();
    sink = await startStubSinkServer({ namesNoVersion: true });
    const made = bench(sinkAt(kind, sink.base, { reports: true }));
    await made.writeReport(first, 0.37);
    await made.until(({ delivered }) => delivered === 1);
    await made.writeReport(late, 0.62);
    await made.until(settled);
    expect(reports().map(percentOf)).toEqual([62]);
    const [{ id } = { id: '' }] = reports();
    await edit({ conclusion: 'Read by a person.' });
    await made.write(abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(11) }));
    await made.until(settled);
    await made.writeReport(reportRecord('c', at(12)), 0.1);
    await made.until(settled);
    expect(reports()).toMatchObject([{ id, conclusion: 'Read by a person.' }]);
    expect(await made.deliveries.list({ count: 10 })).toMatchObject([
      { state: 'dead', lastError: { reason: 'changed-there' } },
    ]);
  },
);

test('a report that people changed before a transaction sink was asked for its version is theirs', async () => {
  await sink.close();
  sink = await startStubSinkServer({ namesNoVersion: true });
  const made = bench(sinkAt('fhir-transaction', sink.base, { reports: true }));
  // The first read finds nobody at home; a person is faster than the second.
  sink.faults.push({ method: 'GET', path: 'DiagnosticReport/', does: { status: 503 }, times: 1 });
  await made.writeReport(first, 0.37);
  await made.until(() =>
    sink.requests.some(({ method, path: at }) => method === 'GET' && at.startsWith('DiagnosticReport/')),
  );
  await edit({ conclusion: 'Read by a person.' });
  await made.until(settled);
  await made.writeReport(late, 0.62);
  await made.until(settled);
  expect(reports()).toMatchObject([{ conclusion: 'Read by a person.' }]);
  expect(await made.deliveries.list({ count: 10 })).toMatchObject([
    { state: 'dead', lastError: { reason: 'changed-there' } },
  ]);
});

test('DR-4: as a document it is the page that a person reads, and an amended one is the same document', async () => {
  const made = bench(sinkAt('fhir-creates', sink.base, { reports: true, as: 'document-reference' }));
  await made.writeReport(first);
  await made.until(({ delivered }) => delivered === 1);
  await made.writeReport(late, 0.62);
  await made.until(settled);
  const documents = sink.all<DocumentReference>('DocumentReference');
  expect(documents).toHaveLength(1);
  expect(documents[0]).toMatchObject({ status: 'current', docStatus: 'amended', type: { text: 'AI imaging report' } });
  const page = documents[0]?.content?.find(({ attachment }) => attachment?.contentType === 'text/html')?.attachment;
  expect(Buffer.from(page?.data ?? '', 'base64').toString('utf8')).toContain('AI result, not read by a radiologist.');
  await made.review(await ownReport(), 'confirmed');
  await made.until(settled);
  expect(sink.all('DocumentReference')).toMatchObject([{ status: 'current', docStatus: 'final' }]);
  await made.review(await ownReport(), 'rejected');
  await made.until(settled);
  expect(sink.all('DocumentReference')).toMatchObject([{ status: 'entered-in-error', docStatus: 'entered-in-error' }]);
  await made.write(abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(12) }));
  await made.until(settled);
  expect(sink.all('DocumentReference')).toMatchObject([{ status: 'entered-in-error' }]);
  expect(isTaggedSuperseded(sink.all<DocumentReference>('DocumentReference')[0] as DocumentReference)).toBe(true);
});

test('a folder gets each version of a report in a file of its own', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'reports-'));
  try {
    const made = bench(sinkAt('ndjson', folder, { reports: true }));
    await made.writeReport(first, 0.37);
    await made.until(({ delivered }) => delivered === 1);
    await made.writeReport(late, 0.62);
    await made.until(settled);
    const found: number[] = [];
    for (const name of (await readdir(folder)).sort()) {
      for (const line of (await readFile(path.join(folder, name), 'utf8')).trim().split('\n')) {
        const resource = JSON.parse(line) as DiagnosticReport | Provenance;
        if (resource.resourceType === 'DiagnosticReport') found.push(percentOf(resource) ?? Number.NaN);
      }
    }
    expect(found).toEqual([37, 62]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
