import type { DiagnosticReport, Narrative } from '@medplum/fhirtypes';
import { element, escapeXhtml } from '../fhir/xhtml.ts';
import { PredictionError } from '../platform/errors.ts';
import { plainText } from './plain-text.ts';
import { attachment } from './report-media.ts';
import { findingsHeading } from './report-page.ts';

/** What a report says of itself before anything else. */
export interface ReportStanding {
  readonly status: NonNullable<DiagnosticReport['status']>;
  /** The first line of the page, of the narrative and of the conclusion. */
  readonly first: string;
  /** When that came to be. */
  readonly at: Date;
  /** What it says holds no longer: its conclusion is the first line alone, and its page heads the findings so. */
  readonly withdrawn?: true;
}

const pageFirst = /<p class="first">([^<]*)<\/p>/;
const pageStatus = /(<tr><th>Status<\/th><td>)[^<]*(<\/td><\/tr>)/;
const narrativeFirst = /^(<div [^>]*>)(?:<p><b>[^<]*<\/b><\/p>)?/;

/** The narrative of a report begins with its first line too. */
export function withFirstLine(narrative: Narrative, first: string): Narrative {
  const line = `<p><b>${escapeXhtml(first)}</b></p>`;
  return { ...narrative, div: (narrative.div ?? '').replace(narrativeFirst, (_, start: string) => start + line) };
}

/**
 * The same report with another status, and the first line that goes with it wherever it stands. What the model said is not touched.
 * Throws RESULT_INVALID where the report has not the page that `buildDiagnosticReport` gives it.
 */
export function withStanding(
  report: DiagnosticReport,
  { status, first, at, withdrawn }: ReportStanding,
): DiagnosticReport {
  const [page, ...others] = report.presentedForm ?? [];
  const html = Buffer.from(page?.data ?? '', 'base64').toString('utf8');
  const before = pageFirst.exec(html)?.[1];
  const { conclusion = '', text } = report;
  if (before === undefined || text === undefined || !pageStatus.test(html) || !conclusion.startsWith(plainText(before)))
    throw new PredictionError(
      'RESULT_INVALID',
      'The report has not the page, the narrative and the conclusion that it was made with: its first line cannot be exchanged.',
    );
  // By functions: a dollar sign in a line means nothing.
  const changed = html
    .replace(pageFirst, () => `<p class="first">${escapeXhtml(first)}</p>`)
    .replace(pageStatus, () => `<tr>${element('th', 'Status')}${element('td', status)}</tr>`)
    .replace(findingsHeading, () => (withdrawn ? '<h2>Findings, withdrawn</h2>' : findingsHeading));
  return {
    ...report,
    text: withFirstLine(text, first),
    status,
    conclusion: withdrawn ? first : first + conclusion.slice(plainText(before).length),
    presentedForm: [
      attachment('text/html', Buffer.from(changed, 'utf8'), page?.title ?? '', at.toISOString()),
      ...others,
    ],
  };
}
