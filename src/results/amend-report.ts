import type { DiagnosticReport } from '@medplum/fhirtypes';
import { predictionNamingSystem } from './canonical-urls.ts';
import { fhirDateTime } from './duration.ts';
import { notRead } from './report-page.ts';
import { withStanding } from './report-standing.ts';
import { type ReportReview, reviewedBy } from './review-report.ts';

/**
 * A report that takes the place of an earlier one of the same study: `amended`, with the predictions that it said before as old
 * identifiers (RA-7). Its first line says that nobody has read it, what it takes the place of, and who has read one of those before it.
 * @param report as it was made, preliminary
 * @param review the last one of an earlier version
 * @param timeZone IANA zone of the site
 */
export function amendReport(
  report: DiagnosticReport,
  earlier: DiagnosticReport,
  { computedAt, timeZone }: { readonly computedAt: Date; readonly timeZone: string },
  review?: ReportReview,
): DiagnosticReport {
  const [own] = report.identifier ?? [];
  const old = (earlier.identifier ?? []).flatMap(({ system, value }) =>
    system !== predictionNamingSystem || value === undefined || value === own?.value
      ? []
      : [{ use: 'old' as const, system, value }],
  );
  const [now, before] = [makerOf(report), makerOf(earlier)];
  const said = `what was said on ${fhirDateTime(new Date(earlier.issued ?? computedAt), timeZone)}`;
  const why = now === before ? 'from other images or data' : `by ${before}; this is of ${now}`;
  const reviewed =
    review === undefined ? '' : ` An earlier version was ${reviewedBy(review, timeZone)}; nobody has read this one.`;
  const first = `${notRead} Amended: it takes the place of ${said} ${why}.${reviewed}`;
  return {
    ...withStanding(report, { status: 'amended', first, at: computedAt }),
    identifier: [...(report.identifier ?? []), ...old],
  };
}

/** The model version, as its parts name it: a report itself has no place for it. */
function makerOf({ contained = [] }: DiagnosticReport): string {
  for (const part of contained) {
    if (
      (part.resourceType === 'Observation' || part.resourceType === 'RiskAssessment') &&
      part.method?.text !== undefined
    )
      return part.method.text;
  }
  return 'another model version';
}
