import { randomUUID } from 'node:crypto';
import type { DiagnosticReport, Observation, Provenance } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSqlRepository } from '../../src/fhir/store/sql-repository.ts';
import { storeContext } from '../../src/fhir/store/store-context.ts';
import { deleteResource, updateResource } from '../../src/fhir/store/write-resource.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { readReviewRates } from '../../src/monitoring/report-reviews.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database, Sql } from '../../src/platform/database.ts';
import { type ReviewParts, reviewReportOf } from '../../src/prediction/review.ts';
import type { ReviewVerdict } from '../../src/results/review-report.ts';
import type { OutcomeRecord } from '../../src/write-back/outcome-record.ts';
import { type ReviewReceipt, type ReviewToWrite, writeReview } from '../../src/write-back/reviews/write-review.ts';
import { openSqlResultStore } from '../../src/write-back/sql-result-store.ts';
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

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(() => clearWriteBack(database));
afterAll(() => opened.close());

const client = () => storeContext({ ...options, database, tenant: 'default' });
const at = (minute: number) => ({
  asOf: new Date(Date.UTC(2026, 2, 1, 9, minute)),
  computedAt: new Date(Date.UTC(2026, 2, 1, 12, 0, minute)),
});
const first = reportRecord('a', at(0));
const late = reportRecord('b', at(5));

async function predict(record: OutcomeRecord, score?: number) {
  const resources = record.state === 'scored' ? reportResources(record, score) : undefined;
  const [settled] = await writeResults(
    database,
    (sql, tenant) => openSqlResultStore(options, sql, tenant),
    [{ record, resources }],
    { sinks: [] },
  );
  if (settled === undefined || 'error' in settled) throw settled?.error;
  return settled.receipt;
}
async function all<Kind>(type: string): Promise<Kind[]> {
  const { rows } = await database.query<{ body: string }>(
    'select body::text as body from resources where type = $1 and not deleted',
    [type],
  );
  return rows.map(({ body }) => JSON.parse(body) as Kind);
}
async function onlyReport(): Promise<Stored> {
  const [report, ...others] = await all<Stored>('DiagnosticReport');
  if (report === undefined || others.length > 0) throw new Error('not one report');
  return report;
}
interface Asked {
  readonly by?: string;
  /** Version that was read; absent: the current one. */
  readonly read?: string;
  readonly comment?: string;
  readonly reportId?: string;
  readonly reportSinks?: readonly string[];
}
async function review(
  verdict: ReviewVerdict,
  { by = 'Practitioner/17', ...asked }: Asked = {},
): Promise<ReviewReceipt> {
  const reportId = asked.reportId ?? (await onlyReport()).id;
  const readVersion = asked.read ?? (await onlyReport()).meta?.versionId ?? '';
  const { comment } = asked;
  return write(
    {
      tenant: 'default',
      reportId,
      readVersion,
      review: { verdict, reviewer: by, at: new Date('2026-03-02T08:00:00Z') },
      ...(comment === undefined ? {} : { sealComment: (version) => `sealed for ${version}: ${comment}` }),
    },
    asked.reportSinks,
  );
}
function write(toWrite: ReviewToWrite, reportSinks: readonly string[] = []): Promise<ReviewReceipt> {
  const openStore = (sql: Sql, tenant: string) => openSqlResultStore(options, sql, tenant);
  return writeReview(database, openStore, toWrite, { reportSinks, timeZone: 'UTC' });
}
async function rows(): Promise<Record<string, unknown>[]> {
  return (await database.query('select * from report_reviews order by version')).rows;
}
const percentOf = ({ contained = [] }: DiagnosticReport) =>
  (contained[0] as Observation | undefined)?.valueQuantity?.value;

describe('a review of a report', () => {
  test('DR-1 PRV-1: is its next version, with a Provenance of its own, and a row that says who found what', async () => {
    await predict(first);
    const { report, repeated } = await review('confirmed', { comment: 'as I see it' });
    expect(repeated).toBe(false);
    expect(report).toEqual(await onlyReport());
    expect(report).toMatchObject({
      status: 'final',
      meta: { versionId: '2' },
      resultsInterpreter: [{ reference: 'Practitioner/17' }],
    });
    expect(report.meta?.security?.map(({ code }) => code)).toContain('AIAST');
    expect(checkResource(report)).toEqual([]);
    const name = `DiagnosticReport/${report.id}/_history`;
    const [made] = (await all<Provenance>('Provenance')).filter(({ target: [one] }) => one?.reference === `${name}/2`);
    expect(made?.entity).toEqual([{ role: 'revision', what: { reference: `${name}/1` } }]);
    expect(made?.agent[0]?.who.reference).toBe('Practitioner/17');
    expect(await rows()).toMatchObject([
      {
        report_id: report.id,
        version: 2,
        read_version: 1,
        verdict: 'confirmed',
        reviewer: 'Practitioner/17',
        user_comment: 'sealed for 2: as I see it',
        result: first.identifier,
        subject_id: '1',
        model_id: 'test-model',
        model_version: '1.2.3',
      },
    ]);
  });

  test('again by the same person is nothing new, whichever version the call names; a comment that comes with it takes the place of the first', async () => {
    await predict(first);
    await review('confirmed', { comment: 'first' });
    const report = await onlyReport();
    for (const read of ['1', '2']) {
      const again = await review('confirmed', { read, comment: 'second' });
      expect(again).toMatchObject({ repeated: true, report });
    }
    await review('confirmed');
    expect(await onlyReport()).toEqual(report);
    expect(await rows()).toMatchObject([{ user_comment: 'sealed for 2: second' }]);
  });

  test('of another version than the current one is refused with VERSION_CONFLICT: nobody confirms what they have not read', async () => {
    await predict(first);
    await predict(late);
    await expect(review('confirmed', { read: '1' })).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    expect(await onlyReport()).toMatchObject({ status: 'amended', meta: { versionId: '2' } });
    expect(await rows()).toEqual([]);
  });

  test('of two at once one wins, and the other is told VERSION_CONFLICT', async () => {
    await predict(first);
    const settled = await Promise.allSettled([
      review('confirmed', { read: '1' }),
      review('rejected', { read: '1', by: 'Practitioner/18' }),
      review('confirmed', { read: '1', by: 'Practitioner/19' }),
    ]);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of settled)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'VERSION_CONFLICT' });
    expect(await rows()).toHaveLength(1);
    expect((await onlyReport()).meta?.versionId).toBe('2');
  });

  test('that is sent twice at once is one review, and both are told so', async () => {
    await predict(first);
    const both = await Promise.all([review('confirmed', { read: '1' }), review('confirmed', { read: '1' })]);
    expect(both.map(({ repeated }) => repeated).sort()).toEqual([false, true]);
    expect(both[0]?.report).toEqual(both[1]?.report);
    expect(await rows()).toHaveLength(1);
  });

  test('while images come late ends in one of two ways, and never confirms what was not read', async () => {
    await predict(first, 0.37);
    const [reviewed] = await Promise.allSettled([review('confirmed', { read: '1' }), predict(late, 0.62)]);
    const report = await onlyReport();
    expect(report.status).toBe('amended');
    expect(report.meta?.versionId).toBe(reviewed.status === 'fulfilled' ? '3' : '2');
    expect(percentOf(report)).toBe(62);
  });

  test('a confirmed report can be rejected, by anybody, and then says nothing that looks valid', async () => {
    await predict(first);
    await review('confirmed');
    const { report } = await review('rejected', { by: 'Practitioner/18' });
    expect(report).toMatchObject({ status: 'entered-in-error', meta: { versionId: '3' } });
    expect(report.resultsInterpreter).toBeUndefined();
    expect(checkResource(report)).toEqual([]);
    expect((await rows()).map(({ verdict, read_version }) => [verdict, read_version])).toEqual([
      ['confirmed', 1],
      ['rejected', 2],
    ]);
  });

  test.each([
    ['confirmed', 'confirmed'],
    ['rejected', 'confirmed'],
    ['rejected', 'rejected'],
  ] as const)('of one that was %s is not %s by somebody else: REVIEW_CONFLICT', async (before, after) => {
    await predict(first);
    await review(before);
    const report = await onlyReport();
    await expect(review(after, { by: 'Practitioner/18' })).rejects.toMatchObject({ code: 'REVIEW_CONFLICT' });
    expect(await onlyReport()).toEqual(report);
  });

  test('a rejected report is not revived by the person who rejected it', async () => {
    await predict(first);
    await review('rejected');
    await expect(review('confirmed')).rejects.toMatchObject({ code: 'REVIEW_CONFLICT' });
  });

  test('of what somebody else changed is refused with WRITE_CONFLICT: the model did not say it', async () => {
    await predict(first);
    await updateResource(client(), { ...(await onlyReport()), conclusion: 'All is well.' });
    await expect(review('confirmed')).rejects.toMatchObject({ code: 'WRITE_CONFLICT' });
  });

  test('again by the same person of what somebody changed since is refused with WRITE_CONFLICT: they did not confirm that', async () => {
    await predict(first);
    await review('confirmed');
    await updateResource(client(), { ...(await onlyReport()), conclusion: 'All is well.' });
    for (const [read, code] of [
      ['3', 'WRITE_CONFLICT'],
      ['2', 'VERSION_CONFLICT'],
      ['1', 'VERSION_CONFLICT'],
    ] as const)
      await expect(review('confirmed', { read, comment: 'again' })).rejects.toMatchObject({ code });
    expect(await rows()).toMatchObject([{ user_comment: null }]);
  });

  test('again by the same person of what was superseded since is no confirmation of it; a lost answer can still be asked for', async () => {
    await predict(first);
    await review('confirmed');
    await predict(abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(5) }));
    expect((await onlyReport()).meta?.versionId).toBe('3');
    for (const by of ['Practitioner/17', 'Practitioner/18'])
      await expect(review('confirmed', { by })).rejects.toMatchObject({ code: 'REPORT_NOT_REVIEWABLE' });
    expect(await review('confirmed', { read: '1' })).toMatchObject({ repeated: true });
    const { report } = await review('rejected');
    expect(report.meta?.versionId).toBe('4');
    expect(await review('rejected')).toMatchObject({ repeated: true, report });
    await expect(review('confirmed')).rejects.toMatchObject({ code: 'REVIEW_CONFLICT' });
  });

  test('of what a later prediction superseded can be a rejection only', async () => {
    await predict(first);
    await predict(abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(5) }));
    await expect(review('confirmed')).rejects.toMatchObject({ code: 'REPORT_NOT_REVIEWABLE' });
    const { report } = await review('rejected');
    expect(report.meta?.tag?.map(({ code }) => code)).toEqual(['superseded']);
  });

  test('of a report of somebody else, or of one that is not there, is refused', async () => {
    await predict(first);
    const theirs: DiagnosticReport = {
      resourceType: 'DiagnosticReport',
      id: 'theirs',
      status: 'final',
      code: { text: 'x' },
    };
    await updateResource(client(), theirs);
    for (const reportId of ['theirs', 'nowhere'])
      await expect(review('confirmed', { reportId, read: '1' })).rejects.toMatchObject({
        code: 'REPORT_NOT_REVIEWABLE',
      });
    const { id } = (await all<Stored>('DiagnosticReport')).find((one) => one.id !== 'theirs') as Stored;
    await deleteResource(client(), 'DiagnosticReport', id);
    await expect(review('confirmed', { reportId: id, read: '2' })).rejects.toMatchObject({ code: 'RESOURCE_UNKNOWN' });
  });
});

describe('a report of another tenant', () => {
  test('is not there: RESOURCE_UNKNOWN, and nothing is kept', async () => {
    await predict(first);
    const report = await onlyReport();
    const repository = createSqlRepository({ ...options, database, tenant: 'other' });
    const asked = { reportId: report.id, readVersion: '1', verdict: 'confirmed', reviewer: 'Practitioner/17' } as const;
    const parts: ReviewParts = {
      tenant: 'other',
      clock: systemClock,
      readReport: (id) => repository.readResource('DiagnosticReport', id),
      writeReview: (toWrite) => write(toWrite),
      event: () => undefined,
    };
    await expect(reviewReportOf(parts, asked)).rejects.toMatchObject({ code: 'RESOURCE_UNKNOWN' });
    // Not even where the look before let it pass.
    await expect(reviewReportOf({ ...parts, readReport: () => Promise.resolve(report) }, asked)).rejects.toMatchObject({
      code: 'REPORT_NOT_REVIEWABLE',
    });
    expect(await onlyReport()).toEqual(report);
    expect(await rows()).toEqual([]);
  });
});

describe('after a review', () => {
  test('the same images at a later instant change nothing: a nightly run takes back no confirmation', async () => {
    await predict(first);
    await review('confirmed');
    const report = await onlyReport();
    const receipt = await predict(reportRecord('a', at(7)));
    expect(receipt).toMatchObject({ created: false, resource: report });
    expect(await onlyReport()).toEqual(report);
    await expect(review('rejected')).resolves.toMatchObject({ report: { status: 'entered-in-error' } });
  });

  test('the same images at a later instant between two verdicts make no second prediction of it: the later verdict counts', async () => {
    const rates = () =>
      readReviewRates(database, 'default', { from: new Date('2026-03-01Z'), to: new Date('2026-04-01Z') });
    await predict(first);
    await review('confirmed');
    await predict(reportRecord('a', at(7)));
    await review('rejected', { by: 'Practitioner/18' });
    expect((await rows()).map(({ verdict, result }) => [verdict, result])).toEqual([
      ['confirmed', first.identifier],
      ['rejected', first.identifier],
    ]);
    expect(await rates()).toMatchObject([{ reviewed: 1, confirmed: 0, rejected: 1, confirmationRate: 0 }]);
    await predict(reportRecord('b', at(8)));
    await review('confirmed');
    expect(await rates()).toMatchObject([{ reviewed: 2, confirmed: 1, rejected: 1, confirmationRate: 0.5 }]);
  });

  test.each(['confirmed', 'rejected'] as const)(
    'DR-6: images that come late make an unread report of it, which says that an earlier version was %s',
    async (verdict) => {
      await predict(first, 0.37);
      await review(verdict);
      await predict(late, 0.62);
      const report = await onlyReport();
      expect(report).toMatchObject({ status: 'amended', meta: { versionId: '3' } });
      expect(report.resultsInterpreter).toBeUndefined();
      expect(percentOf(report)).toBe(62);
      expect(report.conclusion).toMatch(
        new RegExp(
          `^AI result, not read by a radiologist\\. Amended: .* An earlier version was read and ${verdict} by Practitioner/17 on 2026-03-02T08:00:00\\S*; nobody has read this one\\.`,
        ),
      );
      expect(report.contained?.map((part) => (part as Observation).status)).toEqual(['preliminary']);
      expect(checkResource(report)).toEqual([]);
      await predict(reportRecord('c', at(8)), 0.1);
      expect((await onlyReport()).conclusion).toContain(`An earlier version was read and ${verdict}`);
      expect((await review('confirmed')).report).toMatchObject({ status: 'final', meta: { versionId: '5' } });
    },
  );

  test('tags of clients stay, and another version of theirs with the same content is reviewed as ours', async () => {
    await predict(first);
    const workflow = { system: 'urn:example:workflow', code: 'seen' };
    const report = await onlyReport();
    await updateResource(client(), { ...report, meta: { ...report.meta, tag: [workflow] } });
    expect((await review('confirmed')).report.meta).toMatchObject({ versionId: '3', tag: [workflow] });
    expect(await rows()).toMatchObject([{ version: 3, read_version: 2 }]);
  });

  test('it is wanted at the sinks that get reports, and at no other', async () => {
    await predict(first);
    await review('confirmed', { reportSinks: ['ehr'] });
    const { rows: wanted } = await database.query('select sink, resource_type, state from deliveries');
    expect(wanted).toEqual([{ sink: 'ehr', resource_type: 'DiagnosticReport', state: 'pending' }]);
  });
});
