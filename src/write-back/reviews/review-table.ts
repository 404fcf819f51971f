import type { Sql } from '../../platform/database.ts';
import type { KeptText } from '../../platform/sealed-text.ts';
import type { ReportReview, ReviewVerdict } from '../../results/review-report.ts';
import type { OutcomeRow } from '../outcome-record.ts';

/** A review, and which versions of the report it is about. */
export interface KeptReview extends ReportReview {
  /** The version that it made. */
  readonly version: number;
  /** The version that was read. */
  readonly readVersion: number;
  /** Identifier of the prediction that it is about: of two reviews of one text, the first of those that it was said for. */
  readonly result: string;
}

/** Of each report that was reviewed its last review, by the logical id of the report; amended since or not. */
export async function lastReviews(
  sql: Sql,
  tenant: string,
  reportIds: readonly string[],
): Promise<ReadonlyMap<string, KeptReview>> {
  if (reportIds.length === 0) return new Map();
  const { rows } = await sql.query<{
    report_id: string;
    version: number;
    read_version: number;
    verdict: ReviewVerdict;
    reviewer: string;
    reviewed_at: Date;
    result: string;
  }>(
    `select distinct on (report_id) report_id, version, read_version, verdict, reviewer, reviewed_at, result
     from report_reviews where tenant = $1 and report_id = any($2::text[]) order by report_id, version desc`,
    [tenant, reportIds],
  );
  return new Map(
    rows.map(({ report_id: id, read_version: readVersion, reviewed_at: at, version, verdict, reviewer, result }) => [
      id,
      { version, readVersion, verdict, reviewer, at, result },
    ]),
  );
}

/**
 * Keeps a review of what an outcome says.
 * @param row with the report that says it
 */
export async function insertReview(sql: Sql, row: OutcomeRow, review: KeptReview, comment?: KeptText): Promise<void> {
  await sql.query(
    `insert into report_reviews (tenant, report_id, version, read_version, verdict, reviewer, reviewed_at, user_comment, result,
       fhir_base, subject_id, model_id, model_version, model_digest)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      row.tenant,
      row.resourceId,
      review.version,
      review.readVersion,
      review.verdict,
      review.reviewer,
      review.at,
      comment ?? null,
      review.result,
      row.fhirBase,
      row.subjectId,
      row.modelId,
      row.modelVersion,
      row.modelDigest,
    ],
  );
}

/** Puts a comment in the place of the one that was sent with the review before. */
export async function replaceComment(
  sql: Sql,
  { tenant, reportId, version }: { readonly tenant: string; readonly reportId: string; readonly version: number },
  comment: KeptText,
): Promise<void> {
  await sql.query('update report_reviews set user_comment = $4 where tenant = $1 and report_id = $2 and version = $3', [
    tenant,
    reportId,
    version,
    comment,
  ]);
}
