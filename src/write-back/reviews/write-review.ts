import type { DiagnosticReport } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../platform/database.ts';
import { databaseErrorCode } from '../../platform/database-error.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { KeptText } from '../../platform/sealed-text.ts';
import { aiAsserted } from '../../results/canonical-urls.ts';
import { buildReviewProvenance } from '../../results/review-provenance.ts';
import { type ReportReview, reviewReport } from '../../results/review-report.ts';
import { openElements } from '../check-stored.ts';
import type { OutcomeRow } from '../outcome-record.ts';
import { lockGroups, outcomesOfReport, saveOutcomes } from '../outcome-table.ts';
import type { Found, OpenResultStore, ResultStore, Stored } from '../result-store.ts';
import { retryingConflicts } from '../retrying-conflicts.ts';
import { deviceOf } from '../sinks/device-of.ts';
import { enqueueChanged } from '../sinks/enqueue-changed.ts';
import { refuseReview } from './refuse-review.ts';
import { insertReview, type KeptReview, lastReviews, replaceComment } from './review-table.ts';

/** A review that is to be stored. */
export interface ReviewToWrite {
  readonly tenant: string;
  /** Logical id of the DiagnosticReport. */
  readonly reportId: string;
  /** The version that the reviewer has read, which must be the current one. */
  readonly readVersion: string;
  readonly review: ReportReview;
  /** Seals what the reviewer wrote, for the row of the version that the review makes; absent: nothing is kept. */
  readonly sealComment?: (version: number) => KeptText;
}

export interface ReviewReceipt {
  readonly report: Stored<DiagnosticReport>;
  /** What the report says. */
  readonly row: OutcomeRow;
  /** True where the same person had found the same before: no version was stored. */
  readonly repeated: boolean;
}

/** So long a review waits for whoever writes results of the same study. */
const lockTimeoutMs = 3_000;

/**
 * Stores the next version of a report, as a person has reviewed it, with its Provenance and the review, and makes it wanted at the
 * sinks that get reports: all of it or nothing. The same verdict of the same person again, upon what it made, stores nothing but its comment.
 * @param reportSinks names of the sinks that reports are delivered to
 * Throws REPORT_NOT_REVIEWABLE, RESOURCE_UNKNOWN, VERSION_CONFLICT, WRITE_CONFLICT, REVIEW_CONFLICT, WRITE_REJECTED, DATABASE_UNAVAILABLE.
 */
export async function writeReview(
  database: Database,
  openResultStore: OpenResultStore,
  toWrite: ReviewToWrite,
  { reportSinks, timeZone }: { readonly reportSinks: readonly string[]; readonly timeZone: string },
): Promise<ReviewReceipt> {
  const { tenant, reportId } = toWrite;
  try {
    return await retryingConflicts(() =>
      database.transaction(async (sql) => {
        const [known] = await outcomesOfReport(sql, tenant, reportId);
        if (known === undefined) throw notOurs(reportId);
        // Who writes results of the study goes first or after: see `writeResults`.
        if (database.kind === 'postgresql') await lockGroups(sql, [known], lockTimeoutMs);
        const store = openResultStore(sql, tenant);
        await store.lock('DiagnosticReport', [reportId]);
        const [row] = await outcomesOfReport(sql, tenant, reportId);
        if (row?.resourceVersion === undefined) throw notOurs(reportId);
        return review(sql, store, { ...toWrite, row, made: row.resourceVersion }, { reportSinks, timeZone });
      }),
    );
  } catch (error) {
    if (databaseErrorCode(error) !== lockNotAvailable) throw error;
    throw new PredictionError(
      'DATABASE_UNAVAILABLE',
      `DiagnosticReport/${reportId} is being written by another call for ${lockTimeoutMs / 1000} seconds; nothing was kept. Send the review again.`,
      { cause: error },
    );
  }
}

const lockNotAvailable = '55P03';

interface LockedReview extends ReviewToWrite {
  readonly row: OutcomeRow;
  /** The newest version that this server made. */
  readonly made: number;
}

async function review(
  sql: Sql,
  store: ResultStore,
  asked: LockedReview,
  { reportSinks, timeZone }: { readonly reportSinks: readonly string[]; readonly timeZone: string },
): Promise<ReviewReceipt> {
  const { tenant, reportId, row, made } = asked;
  const name = `DiagnosticReport/${reportId}`;
  const found = (await store.read([{ type: 'DiagnosticReport', id: reportId, made }])).get(name);
  const last = (await lastReviews(sql, tenant, [reportId])).get(reportId);
  const standing = last?.version === made ? last : undefined;
  const report = reviewable(found, name);
  const isOurs = found?.saysWhatWasMade(openElements.result) === true;
  if (standing !== undefined && isOurs && isSame(asked, standing, report)) {
    const comment = asked.sealComment?.(made);
    if (comment !== undefined) await replaceComment(sql, { tenant, reportId, version: made }, comment);
    return { report, row, repeated: true };
  }
  refuseReview({ ...asked, name, report, standing, isOurs });

  const superseded = row.supersededBy !== undefined;
  const written = await store.amend({ ...reviewReport(report, asked.review, timeZone), id: reportId }, superseded);
  const version = Number(written.meta?.versionId);
  await store.insert([store.draft(provenanceOf(report, written, asked.review, timeZone))]);
  const next = { ...row, resourceVersion: version };
  await saveOutcomes(sql, tenant, [], [next]);
  const kept: KeptReview = {
    ...asked.review,
    version,
    readVersion: Number(asked.readVersion),
    // The same images may be predicted about again between two verdicts on one text: they are on one prediction.
    result: standing?.result ?? row.identifier,
  };
  await insertReview(sql, next, kept, asked.sealComment?.(version));
  await enqueueChanged(sql, tenant, [next], { sinks: [], reportSinks });
  return { report: written, row: next, repeated: false };
}

/**
 * Sent again after an answer that was lost, it names the version that was read then. Who names the current version of what was superseded
 * since, and confirms it, has read that it was: that is another review, and none that may be.
 */
function isSame(
  { review: asked, readVersion, row }: LockedReview,
  standing: KeptReview,
  { meta }: DiagnosticReport,
): boolean {
  if (asked.verdict !== standing.verdict || asked.reviewer !== standing.reviewer) return false;
  if (readVersion === meta?.versionId) return asked.verdict === 'rejected' || row.supersededBy === undefined;
  return [standing.version, standing.readVersion].map(String).includes(readVersion);
}

function reviewable(found: Found | undefined, name: string): Stored<DiagnosticReport> {
  if (found === undefined) throw new PredictionError('RESOURCE_UNKNOWN', `There is no ${name} on this server.`);
  return found.resource as Stored<DiagnosticReport>;
}

function provenanceOf(
  read: Stored<DiagnosticReport>,
  written: Stored<DiagnosticReport>,
  review: ReportReview,
  timeZone: string,
) {
  const deviceReference = deviceOf(read)?.reference;
  if (deviceReference === undefined)
    throw new PredictionError('RESULT_INVALID', `DiagnosticReport/${read.id} names no Device that made it.`);
  return buildReviewProvenance({
    target: versioned(written),
    revised: versioned(read),
    review,
    deviceReference,
    timeZone,
    security: (read.meta?.security ?? []).filter(({ code }) => code !== aiAsserted.code),
  });
}

function versioned({ id, meta }: Stored<DiagnosticReport>): string {
  return `DiagnosticReport/${id}/_history/${meta?.versionId}`;
}

function notOurs(id: string): PredictionError {
  return new PredictionError(
    'REPORT_NOT_REVIEWABLE',
    `DiagnosticReport/${id} is no report of a model of this server; $review is for those alone. What a person wrote is changed by an update.`,
  );
}
