import type { Sql } from '../platform/database.ts';
import { type OpenedText, openTextIfHeld } from '../platform/sealed-text.ts';
import type { ValuesCipher } from '../platform/values-cipher.ts';
import { reviewCommentPlace } from '../prediction/review-comment-place.ts';

/** What a person found of a report, and of which prediction of which model. */
export interface KeptReview {
  readonly reportId: string;
  /** Of the DiagnosticReport: the version that the review made. */
  readonly version: number;
  readonly verdict: 'confirmed' | 'rejected';
  /** `Practitioner/17`, or the URL of somebody elsewhere. */
  readonly reviewer: string;
  readonly reviewedAt: Date;
  readonly comment?: string;
  /** In the place of the comment: it is sealed with the key of this id, which is not at hand. */
  readonly commentSealedWith?: string;
  /** Identifier of the prediction. */
  readonly result: string;
  /** FHIR base of the server that the patient is of. */
  readonly base: string;
  readonly model: { readonly id: string; readonly version: string; readonly digest: string };
}

/** Where a page ended. */
export type ReviewKey = Pick<KeptReview, 'reviewedAt' | 'reportId' | 'version'>;

interface Row {
  readonly report_id: string;
  readonly version: number;
  readonly verdict: KeptReview['verdict'];
  readonly reviewer: string;
  readonly reviewed_at: Date;
  readonly user_comment: string | null;
  readonly result: string;
  readonly fhir_base: string;
  readonly model_id: string;
  readonly model_version: string;
  readonly model_digest: string;
}

/**
 * Reviews of a period, oldest first.
 * @param period by the time of the review; `from` is inclusive, `to` exclusive
 * @param page at most so many, behind the last one of the page before
 */
export async function readReviews(
  sql: Sql,
  { tenant, cipher }: { readonly tenant: string; readonly cipher: ValuesCipher | undefined },
  period: { readonly from: Date; readonly to: Date },
  { count, after }: { readonly count: number; readonly after?: ReviewKey | undefined },
): Promise<KeptReview[]> {
  const { rows } = await sql.query<Row>(
    `select report_id, version, verdict, reviewer, reviewed_at, user_comment, result, fhir_base, model_id, model_version, model_digest
     from report_reviews
     where tenant = $1 and reviewed_at >= $2 and reviewed_at < $3
       and ($5::timestamptz is null or (reviewed_at, report_id, version) > ($5, $6, $7::int))
     order by reviewed_at, report_id, version
     limit $4::int`,
    [tenant, period.from, period.to, count, after?.reviewedAt ?? null, after?.reportId ?? '', after?.version ?? 0],
  );
  return rows.map((row) => {
    const { report_id: reportId, version, user_comment: kept } = row;
    const opened: Partial<OpenedText> =
      kept === null ? {} : openTextIfHeld(kept, reviewCommentPlace({ tenant, reportId, version }), cipher);
    return {
      reportId,
      version,
      verdict: row.verdict,
      reviewer: row.reviewer,
      reviewedAt: row.reviewed_at,
      ...(opened.text === undefined ? {} : { comment: opened.text }),
      ...(opened.sealedWith === undefined ? {} : { commentSealedWith: opened.sealedWith }),
      result: row.result,
      base: row.fhir_base,
      model: { id: row.model_id, version: row.model_version, digest: row.model_digest },
    };
  });
}

/** How reports of one model version were found. */
export interface ReviewRates {
  readonly model: string;
  readonly version: string;
  /** Predictions whose report was reviewed; of one that was reviewed twice the later verdict counts. */
  readonly reviewed: number;
  readonly confirmed: number;
  readonly rejected: number;
  /** 0 to 1, of the reviewed ones. */
  readonly confirmationRate: number;
}

/** @param period by the time of the review; `from` is inclusive, `to` exclusive */
export async function readReviewRates(
  sql: Sql,
  tenant: string,
  period: { readonly from: Date; readonly to: Date },
): Promise<ReviewRates[]> {
  const { rows } = await sql.query<{ model: string; version: string; confirmed: string; rejected: string }>(
    `select model_id as model, model_version as version, count(*) filter (where verdict = 'confirmed')::text as confirmed,
       count(*) filter (where verdict = 'rejected')::text as rejected
     from (
       select distinct on (report_id, result) model_id, model_version, verdict from report_reviews
       where tenant = $1 and reviewed_at >= $2 and reviewed_at < $3
       order by report_id, result, reviewed_at desc, version desc
     ) latest
     group by 1, 2 order by 1, 2`,
    [tenant, period.from, period.to],
  );
  return rows.map(({ model, version, ...counts }) => {
    const [confirmed, rejected] = [Number(counts.confirmed), Number(counts.rejected)];
    const reviewed = confirmed + rejected;
    return { model, version, reviewed, confirmed, rejected, confirmationRate: confirmed / reviewed };
  });
}
