import type { DiagnosticReport, Media, Observation, RiskAssessment } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import { fhirDateTime } from './duration.ts';
import { withStanding } from './report-standing.ts';

/** What a person may find of the report of a model. */
export const reviewVerdicts = ['confirmed', 'rejected'] as const;

export type ReviewVerdict = (typeof reviewVerdicts)[number];

/** Who has read a report, when, and what they found. */
export interface ReportReview {
  readonly verdict: ReviewVerdict;
  /** `Practitioner/17` or `PractitionerRole/17` of this server, or an absolute URL of one elsewhere. */
  readonly reviewer: string;
  readonly at: Date;
}

type Part = Observation | RiskAssessment | Media;

/**
 * The report as a person has reviewed it; what the model said is not touched. Confirmed: `final`, which R4 keeps for what an
 * authorized person has verified, its findings too (DR-1, DR-5), and the person is its interpreter (DR-6). Rejected: `entered-in-error`,
 * its findings, risks and pictures too, which R4 asks every reader to pass over; neither its conclusion nor its codes repeat them.
 * The label AIAST and the Device stay: who has read it did not make it.
 * @param report as the model made it, or as it was confirmed
 * @param timeZone IANA zone of the site
 * Throws RESULT_INVALID where the report has not the parts that `buildDiagnosticReport` gives it.
 */
export function reviewReport(report: DiagnosticReport, review: ReportReview, timeZone: string): DiagnosticReport {
  const { at, reviewer, verdict } = review;
  const first = `AI result, ${reviewedBy(review, timeZone)}.`;
  const status = verdict === 'confirmed' ? 'final' : 'entered-in-error';
  const contained = (report.contained ?? []).map((part) => reviewedPart(part as Part, status, at));
  const issued = at.toISOString();
  if (verdict === 'confirmed') {
    const interpreter = { reference: reviewer } as NonNullable<DiagnosticReport['resultsInterpreter']>[number];
    const standing = withStanding(report, { status, first, at });
    return { ...standing, contained, issued, resultsInterpreter: [interpreter] };
  }
  const withdrawal = `${first} What it says is withdrawn: do not use it.`;
  const standing = withStanding(report, { status, first: withdrawal, at, withdrawn: true });
  const { resultsInterpreter: _, conclusionCode: _c, ...rest } = standing;
  return { ...rest, contained, issued };
}

/** `read and confirmed by Practitioner/17 on 2026-03-01T10:00:00Z` */
export function reviewedBy({ verdict, reviewer, at }: ReportReview, timeZone: string): string {
  return `read and ${verdict} by ${reviewer} on ${fhirDateTime(at, timeZone)}`;
}

function reviewedPart(part: Part, status: 'final' | 'entered-in-error', at: Date): Part {
  switch (part.resourceType) {
    case 'Observation':
      return { ...part, status, issued: at.toISOString() };
    case 'RiskAssessment':
      return { ...part, status };
    case 'Media':
      // A picture is neither preliminary nor final: it is there, or should not be.
      return status === 'final' ? part : { ...part, status };
    default:
      throw new PredictionError('RESULT_INVALID', 'The report contains what no report of this server does.');
  }
}
