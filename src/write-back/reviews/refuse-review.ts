import type { DiagnosticReport } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import type { ReportReview } from '../../results/review-report.ts';
import type { OutcomeRow } from '../outcome-record.ts';
import type { KeptReview } from './review-table.ts';

/** What is asked of a report, and how it stands. */
export interface AskedReview {
  /** `DiagnosticReport/17` */
  readonly name: string;
  readonly report: DiagnosticReport;
  /** The outcome that it says. */
  readonly row: Pick<OutcomeRow, 'supersededBy'>;
  /** False where somebody else changed it. */
  readonly isOurs: boolean;
  /** The review that made what it says now; undefined where nobody has read that. */
  readonly standing: KeptReview | undefined;
  readonly readVersion: string;
  readonly review: ReportReview;
}

/**
 * Throws where a verdict must not be: VERSION_CONFLICT on another version than was read, so that nobody confirms what they have not
 * read; WRITE_CONFLICT on what somebody else changed; REPORT_NOT_REVIEWABLE where what is confirmed, once more or not, was
 * superseded; REVIEW_CONFLICT where a verdict stands that it may not follow: what was confirmed can only be rejected, and what was
 * rejected never comes back.
 */
export function refuseReview({ name, report, row, isOurs, standing, readVersion, review }: AskedReview): void {
  const current = report.meta?.versionId;
  if (readVersion !== current)
    throw new PredictionError(
      'VERSION_CONFLICT',
      `${name} was not reviewed: If-Match names version ${readVersion}, and its version is ${current}. Read it again, and review what it says now.`,
    );
  if (!isOurs)
    throw new PredictionError(
      'WRITE_CONFLICT',
      `${name} was changed by somebody else after the model made it: a review would pass for one of what the model said. Nothing was kept. Delete it, and the next prediction that is written makes it anew.`,
    );
  if (row.supersededBy !== undefined && review.verdict === 'confirmed' && standing?.verdict !== 'rejected')
    throw new PredictionError(
      'REPORT_NOT_REVIEWABLE',
      `${name} says a prediction that a later one has superseded: it can be rejected, and not confirmed. Have the study predicted about again with writeBack, and read what it says then.`,
    );
  if (standing !== undefined && !(standing.verdict === 'confirmed' && review.verdict === 'rejected'))
    throw new PredictionError(
      'REVIEW_CONFLICT',
      `${name} was ${standing.verdict} by ${standing.reviewer} already. ${wayOut[standing.verdict]}`,
    );
}

const wayOut = {
  confirmed: 'It can only be rejected now.',
  rejected:
    'What was withdrawn does not come back under its id: delete it, have the study predicted about again with writeBack, and review that report.',
} as const;
