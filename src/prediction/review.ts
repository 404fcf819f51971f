import type { DiagnosticReport, Resource } from '@medplum/fhirtypes';
import type { Clock } from '../platform/clock.ts';
import type { LogEvent } from '../platform/events.ts';
import { sealText } from '../platform/sealed-text.ts';
import type { ValuesCipher } from '../platform/values-cipher.ts';
import type { ReviewVerdict } from '../results/review-report.ts';
import type { ReviewReceipt, ReviewToWrite } from '../write-back/reviews/write-review.ts';
import { reviewCommentPlace } from './review-comment-place.ts';

/** What a person found of a report of a model, as an entrance asks for it. */
export interface ReviewRequest {
  /** Logical id of the DiagnosticReport in the own store. */
  readonly reportId: string;
  /** The version that was read. */
  readonly readVersion: string;
  readonly verdict: ReviewVerdict;
  /** `Practitioner/17` or `PractitionerRole/17` of this server, or the URL of one elsewhere. */
  readonly reviewer: string;
  /** May name the patient: never logged, in no report, and kept only sealed. */
  readonly comment?: string;
}

export interface ReviewParts {
  readonly tenant: string;
  readonly clock: Clock;
  /** Throws RESOURCE_UNKNOWN or RESOURCE_DELETED. */
  readonly readReport: (id: string) => Promise<Resource>;
  /** See `writeReview`. */
  readonly writeReview: (review: ReviewToWrite) => Promise<ReviewReceipt>;
  /** Seals comments; absent: none is kept. */
  readonly cipher?: ValuesCipher;
  readonly event: (event: LogEvent) => void;
}

/**
 * Keeps what a person found of a report: see `writeReview`, whose errors it throws beside RESOURCE_UNKNOWN and RESOURCE_DELETED.
 * @returns the report as it is now
 */
export async function reviewReportOf(
  parts: ReviewParts,
  request: ReviewRequest,
): Promise<DiagnosticReport & { id: string }> {
  const { tenant, cipher } = parts;
  const { reportId, readVersion, verdict, reviewer, comment } = request;
  await parts.readReport(reportId);
  const seals = cipher !== undefined && comment !== undefined;
  const { report, row, repeated } = await parts.writeReview({
    tenant,
    reportId,
    readVersion,
    review: { verdict, reviewer, at: parts.clock.now() },
    ...(seals
      ? { sealComment: (version) => sealText(comment, reviewCommentPlace({ tenant, reportId, version }), cipher) }
      : {}),
  });
  if (comment !== undefined && !seals) parts.event({ name: 'report-review.words-not-kept' });
  if (!repeated) {
    const { modelId: model, modelVersion: version, identifier: result } = row;
    parts.event({ name: 'report.reviewed', result, resourceId: report.id, model, version, verdict });
  }
  return report;
}
