import { randomUUID } from 'node:crypto';
import type { DiagnosticReport, Observation, Provenance } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readResource } from '../../src/fhir/store/read-resource.ts';
import { type StoreContext, storeContext } from '../../src/fhir/store/store-context.ts';
import { deleteResource, updateResource } from '../../src/fhir/store/write-resource.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { predictionNamingSystem, reportNamingSystem } from '../../src/results/canonical-urls.ts';
import type { OutcomeRecord } from '../../src/write-back/outcome-record.ts';
import type { ResultToWrite } from '../../src/write-back/prepare-result.ts';
import { openSqlResultStore } from '../../src/write-back/sql-result-store.ts';
import { isTaggedSuperseded } from '../../src/write-back/superseded-tag.ts';
import { writeResults } from '../../src/write-back/write-results.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { abstainedRecord, outcomeBase } from '../support/outcome-record.ts';
import { reportRecord, reportResources } from '../support/report-record.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { clearWriteBack } from '../support/write-back-tables.ts';

type Stored = DiagnosticReport & { id: string };

const options = {
  baseUrl: outcomeBase,
  clock: systemClock,
  newId: randomUUID,
  timeZone: 'UTC',
  validator: createResourceValidator(),
};
let opened: TestDatabase;
let database: Database;
/** The store as a client reaches it. */
let client: StoreContext;

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
  client = storeContext({ ...options, database, tenant: 'default' });
});
beforeEach(() => clearWriteBack(database));
afterAll(() => opened.close());

const at = (minute: number, second = minute) => ({
  asOf: new Date(Date.UTC(2026, 2, 1, 9, minute)),
  computedAt: new Date(Date.UTC(2026, 2, 1, 12, 0, second)),
});
const back = (record: OutcomeRecord, score?: number): ResultToWrite => ({
  record,
  resources: reportResources(record, score),
});
const write = async (...batch: ResultToWrite[]) =>
  (await writeResults(database, (sql, tenant) => openSqlResultStore(options, sql, tenant), batch, { sinks: [] })).map(
    (settled) => {
      if ('error' in settled) throw settled.error;
      return settled.receipt;
    },
  );
async function all<Kind>(type: string): Promise<Kind[]> {
  const { rows } = await database.query<{ body: string }>(
    'select body::text as body from resources where type = $1 and not deleted',
    [type],
  );
  return rows.map(({ body }) => JSON.parse(body) as Kind);
}
async function onlyReport(): Promise<Stored> {
  const reports = await all<Stored>('DiagnosticReport');
  expect(reports).toHaveLength(1);
  const [report] = reports;
  if (report === undefined) throw new Error('no report');
  return report;
}
const percentOf = ({ contained = [] }: DiagnosticReport) =>
  (contained[0] as Observation | undefined)?.valueQuantity?.value;
const predictions = ({ identifier = [] }: DiagnosticReport) =>
  identifier.filter(({ system }) => system === predictionNamingSystem).map(({ use, value }) => [use, value]);
const pageOf = ({ presentedForm = [] }: DiagnosticReport) =>
  Buffer.from(presentedForm[0]?.data ?? '', 'base64').toString('utf8');

const first = reportRecord('a', at(0));
const late = reportRecord('b', at(5));

describe('images that come later amend the report', () => {
  test('RA-7: the later prediction is the next version of the same DiagnosticReport, amended, and the earlier one its old identifier', async () => {
    const [made] = await write(back(first, 0.37));
    const [amended] = await write(back(late, 0.62));
    const report = await onlyReport();
    expect(report.id).toBe(made?.resource?.id);
    expect(amended).toMatchObject({
      created: true,
      resource: report,
      superseded: [{ identifier: first.identifier, supersededBy: late.identifier }],
    });
    expect(report).toMatchObject({ status: 'amended', meta: { versionId: '2' } });
    expect(percentOf(report)).toBe(62);
    expect(predictions(report)).toEqual([
      [undefined, late.identifier],
      ['old', first.identifier],
    ]);
    const stable = ({ identifier = [] }: DiagnosticReport) =>
      identifier.find(({ system }) => system === reportNamingSystem)?.value;
    expect(stable(report)).toBe(stable(made?.resource as DiagnosticReport));
    expect(isTaggedSuperseded(report)).toBe(false);
    expect(checkResource(report)).toEqual([]);
  });

  test('DR-6: the amended report says first that it is not read, and what it takes the place of, and names no interpreter', async () => {
    await write(back(first));
    await write(back(late));
    const report = await onlyReport();
    const line =
      /AI result, not read by a radiologist\. Amended: it takes the place of what was said on 2026-03-01T12:00:00\S* from other images or data\./;
    expect(report.conclusion).toMatch(line);
    expect(report.text?.div).toMatch(line);
    expect(pageOf(report)).toMatch(line);
    expect(pageOf(report)).toContain('<tr><th>Status</th><td>amended</td></tr>');
    expect(report.presentedForm?.[0]?.size).toBe(Buffer.byteLength(pageOf(report)));
    expect(report.resultsInterpreter).toBeUndefined();
  });

  test('a new version of the model amends it too, and the report says which made it before', async () => {
    await write(back(first));
    await write(back(reportRecord('a', { ...at(5), modelVersion: '2.0.0', reportInputs: 'of another model' })));
    expect((await onlyReport()).conclusion).toContain(
      'by Test model (test-model 1.2.3); this is of Test model (test-model 2.0.0)',
    );
  });

  test('PRV-1: each version has a Provenance of its own, the later of which names the version it revised', async () => {
    await write(back(first));
    await write(back(late));
    const { id } = await onlyReport();
    const made = await all<Provenance>('Provenance');
    const target = (version: number) =>
      made.filter(({ target: [one] }) => one?.reference?.endsWith(`${id}/_history/${version}`));
    expect(made).toHaveLength(2);
    expect(target(1)[0]?.entity?.some(({ role }) => role === 'revision')).toBe(false);
    expect(target(2)[0]?.entity?.[0]).toEqual({
      role: 'revision',
      what: { reference: `DiagnosticReport/${id}/_history/1` },
    });
  });

  test('a repeat records nothing, and the same inputs at a later instant amend nothing', async () => {
    await write(back(first));
    const report = await onlyReport();
    const [repeat] = await write(back(first));
    expect(repeat).toMatchObject({ repeated: true, created: false, resource: report });
    const again = reportRecord('a', at(7));
    expect(again.identifier).not.toBe(first.identifier);
    const [same] = await write(back(again));
    expect(same).toMatchObject({ repeated: false, created: false, resource: report });
    expect(await onlyReport()).toEqual(report);
    expect(await all('Provenance')).toHaveLength(1);
    await write(back(reportRecord('b', at(8))));
    expect(percentOf(await onlyReport())).toBe(37);
    expect((await onlyReport()).meta?.versionId).toBe('2');
  });

  test('a look at the same later, which asks for no report, leaves the report as it is: not superseded, and not delivered anew', async () => {
    await write(back(first));
    const report = await onlyReport();
    const again = reportRecord('a', at(7));
    const [looked] = await write({ record: again });
    expect(looked).toMatchObject({ created: false, superseded: [{ identifier: first.identifier }] });
    expect(await onlyReport()).toEqual(report);
    expect(isTaggedSuperseded(await onlyReport())).toBe(false);
    await write(back(reportRecord('b', at(8)), 0.62));
    expect(await onlyReport()).toMatchObject({ id: report.id, status: 'amended', meta: { versionId: '2' } });
  });

  test('a look at something else, or that ends in an abstention, does not let the older text stand as current', async () => {
    for (const other of [
      reportRecord('b', at(7)),
      abstainedRecord('a', { focus: 'ImagingStudy/s1', reportInputs: 'inputs a', ...at(7) }),
    ]) {
      await clearWriteBack(database);
      await write(back(first));
      await write({ record: other });
      expect(isTaggedSuperseded(await onlyReport())).toBe(true);
      await write({ record: reportRecord('a', at(8)) });
      expect(isTaggedSuperseded(await onlyReport())).toBe(false);
    }
  });

  test('a prediction at an earlier instant displaces nothing: it is kept as an outcome, and no report says it', async () => {
    await write(back(late, 0.62));
    const [receipt] = await write(back(first, 0.37));
    expect(receipt).toMatchObject({ created: false, row: { supersededBy: late.identifier } });
    expect(receipt?.resource).toBeUndefined();
    expect(percentOf(await onlyReport())).toBe(62);
  });

  test('an abstention on the study marks the report as superseded; the next prediction, of the same images too, makes it current', async () => {
    await write(back(first));
    await write({ record: abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(3) }) });
    expect(isTaggedSuperseded(await onlyReport())).toBe(true);
    await write(back(reportRecord('a', at(4))));
    expect(isTaggedSuperseded(await onlyReport())).toBe(false);
    expect((await onlyReport()).status).toBe('preliminary');
  });

  test('RA-7: an abstention for the quiet period alone leaves the report as it is, confirmed or not, and is superseded by what stands', async () => {
    await write(back(first));
    const before = await onlyReport();
    const passing = {
      record: { ...abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(3) }), passes: true as const },
    };
    for (const again of [false, true]) {
      const [receipt] = await write(passing);
      const superseded = again ? [] : [{ identifier: passing.record.identifier, supersededBy: first.identifier }];
      expect(receipt).toMatchObject({ repeated: again, superseded, row: { supersededBy: first.identifier } });
      expect(await onlyReport()).toEqual(before);
    }
    // The same abstention for images that are still to come is no passing one.
    await write({ record: abstainedRecord('y', { focus: 'ImagingStudy/s1', ...at(4) }) });
    expect(isTaggedSuperseded(await onlyReport())).toBe(true);
  });

  test('reports of two studies, or of two models, are two', async () => {
    await write(
      back(first),
      back(reportRecord('a', { ...at(5), focus: 'ImagingStudy/s2' })),
      back(reportRecord('a', { ...at(5), modelId: 'other-model' })),
    );
    expect(await all('DiagnosticReport')).toHaveLength(3);
  });
});

describe('a report that somebody else changed', () => {
  test('is not amended, for what was added would be lost: WRITE_CONFLICT, and nothing is kept', async () => {
    await write(back(first));
    await write(back(late));
    const report = await onlyReport();
    await updateResource(client, { ...report, conclusion: 'All is well.' });
    await expect(write(back(reportRecord('c', at(9))))).rejects.toMatchObject({ code: 'WRITE_CONFLICT' });
    expect((await onlyReport()).conclusion).toBe('All is well.');
  });

  test('the version that amended it is our own: another one follows it, and tags of clients stay', async () => {
    await write(back(first));
    await write(back(late));
    const workflow = { system: 'urn:example:workflow', code: 'seen' };
    const report = await onlyReport();
    await updateResource(client, { ...report, meta: { ...report.meta, tag: [workflow] } });
    await write(back(reportRecord('c', at(9)), 0.1));
    const after = await onlyReport();
    expect(after.meta).toMatchObject({ versionId: '4', tag: [workflow] });
    expect(percentOf(after)).toBe(10);
    expect(predictions(after).map(([use]) => use)).toEqual([undefined, 'old', 'old']);
  });

  test('deleting it is the way out: the next prediction is stored as a new one', async () => {
    await write(back(first));
    await deleteResource(client, 'DiagnosticReport', (await onlyReport()).id);
    await write(back(late));
    const report = await onlyReport();
    expect(report).toMatchObject({ status: 'preliminary', meta: { versionId: '1' } });
    await write(back(reportRecord('c', at(9))));
    expect((await readResource(client, 'DiagnosticReport', report.id)) as Stored).toMatchObject({ status: 'amended' });
  });
});

test('RA-7: whatever the order, and however they are grouped, one resource is left, and says the outcome that stands', async () => {
  const made = fc.record({
    seed: fc.integer({ min: 0, max: 3 }),
    minute: fc.integer({ min: 0, max: 3 }),
    alone: fc.boolean(),
    /** Followed by a look at the study within its quiet period. */
    looked: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(made, { minLength: 2, maxLength: 7 }), async (drawn) => {
      await clearWriteBack(database);
      let batch: ResultToWrite[] = [];
      for (const [index, { seed, minute, alone, looked }] of drawn.entries()) {
        batch.push(back(reportRecord(`inputs ${seed}`, at(minute, index)), (seed + 1) / 10));
        const look = abstainedRecord(`look ${index}`, { focus: 'ImagingStudy/s1', ...at(5, index) });
        if (looked) batch.push({ record: { ...look, passes: true } });
        if (!alone && index < drawn.length - 1) continue;
        await write(...batch);
        batch = [];
      }
      const { rows } = await database.query<{ identifier: string; report_inputs: string; resource_id: string }>(
        'select identifier, report_inputs, resource_id from outcomes where superseded_by is null',
      );
      const report = await onlyReport();
      expect(rows).toHaveLength(1);
      expect(rows[0]?.resource_id).toBe(report.id);
      const [, seed] = /inputs inputs (\d)/.exec(rows[0]?.report_inputs ?? '') ?? [];
      expect(percentOf(report)).toBe((Number(seed) + 1) * 10);
      expect(isTaggedSuperseded(report)).toBe(false);
      expect(await all('Provenance')).toHaveLength(Number(report.meta?.versionId));
    }),
    { numRuns: 25 },
  );
});

describe('RA-7: whoever writes the report of one study at once with others', () => {
  /** Of the report as each of its versions was, the prediction that it says; in their order. */
  async function saidBy({ id }: Stored): Promise<{ version: number; prediction: string }[]> {
    const { rows } = await database.query<{ version: number; body: string }>(
      `select version, body::text as body from resource_versions
       where type = 'DiagnosticReport' and id = $1 order by version`,
      [id],
    );
    return rows.map(({ version, body }) => {
      const [current] = predictions(JSON.parse(body) as DiagnosticReport).filter(([use]) => use !== 'old');
      return { version, prediction: current?.[1] ?? '' };
    });
  }

  const writer = fc.record({ seed: fc.integer({ min: 0, max: 4 }), minute: fc.integer({ min: 1, max: 4 }) });
  const scoreOf = (seed: number): number => (seed + 1) / 10;

  test('leaves one resource that says the newest, of which every version follows from the one before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(writer, { minLength: 2, maxLength: 5 }), fc.boolean(), async (drawn, isThere) => {
        await clearWriteBack(database);
        if (isThere) await write(back(reportRecord('there', at(0, 0)), 0.9));
        const records = drawn.map(({ seed, minute }, index) => reportRecord(`inputs ${seed}`, at(minute, 1 + index)));
        const receipts = await Promise.all(
          records.map((record, index) => write(back(record, scoreOf(drawn[index]?.seed ?? 0)))),
        );
        const report = await onlyReport();
        const { rows } = await database.query<{ identifier: string; as_of: Date; superseded_by: string | null }>(
          'select identifier, as_of, superseded_by from outcomes',
        );
        const asOf = new Map(rows.map((row) => [row.identifier, new Date(row.as_of).getTime()]));
        const standing = rows.filter(({ superseded_by: by }) => by === null);
        expect(standing).toHaveLength(1);
        const newest = Math.max(...asOf.values());
        expect(asOf.get(standing[0]?.identifier ?? '')).toBe(newest);

        const said = await saidBy(report);
        expect(said.map(({ version }) => version)).toEqual(said.map((_, index) => index + 1));
        expect(report.meta?.versionId).toBe(String(said.length));
        const instants = said.map(({ prediction }) => asOf.get(prediction) ?? Number.NaN);
        expect(instants).toEqual([...instants].sort((left, right) => left - right));
        expect(await all('Provenance')).toHaveLength(said.length);
        expect(isTaggedSuperseded(report)).toBe(false);

        const scores = new Set(
          drawn.filter(({ minute }) => at(minute).asOf.getTime() === newest).map(({ seed }) => 100 * scoreOf(seed)),
        );
        expect([...scores].map(Math.round)).toContain(Math.round(percentOf(report) ?? Number.NaN));
        for (const { resource } of receipts.flat()) if (resource !== undefined) expect(resource.id).toBe(report.id);
      }),
      { numRuns: 15 },
    );
  });

  test('with the very same prediction makes it once', async () => {
    const receipts = (await Promise.all([1, 2, 3].map(() => write(back(first, 0.37))))).flat();
    expect(receipts.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(receipts.map(({ resource }) => resource?.id))).toEqual(new Set([(await onlyReport()).id]));
    expect(await saidBy(await onlyReport())).toEqual([{ version: 1, prediction: first.identifier }]);
  });
});
