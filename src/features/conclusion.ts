import type { DiagnosticReport } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { InstantRange } from '../fhir/instant-range.ts';
import type { TextDefinition } from '../model-catalog/feature-map-schema.ts';
import { agreed } from './answers.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import { earliest, mayBeNewest, newest, perhapsNewer } from './newest.ts';
import type { Unread } from './pick-by-content.ts';
import { compileTextReader, type TextReader } from './read-text.ts';
import { boundsOf, resultStatuses, standingOf } from './result-standing.ts';
import { changesMeaning } from './unknown-meaning.ts';

interface DatedReport {
  readonly report: DiagnosticReport;
  readonly time: InstantRange;
  readonly at: string;
}

interface Reports {
  readonly dated: readonly DatedReport[];
  readonly untimed: readonly { readonly report: DiagnosticReport; readonly latest: number }[];
  readonly atEdge: readonly DatedReport[];
}

/** Statuses of a report that somebody stands by (FHIR diagnostic-report-status). */
const reportStatuses: readonly string[] = [...resultStatuses, 'appended'];

/** The conclusion of the newest, or the oldest, report that has one. Its value is the whole text. */
export function compileConclusion(definition: TextDefinition): FeatureExtractor {
  const { label, pick, window } = definition;
  const read = compileTextReader(definition);
  const reportsIn = compileReports(definition);
  const notFound = missing('not-found', `no ${label} within ${durationWords(window)} before as-of`);
  return (context) => {
    const { dated, untimed, atEdge } = reportsIn(context);
    const contenders = pick === 'earliest' ? earliest(dated) : newest(dated);
    const rivals =
      pick === 'earliest'
        ? [...untimed, ...atEdge]
        : [...perhapsNewer(contenders, untimed), ...mayBeNewest(contenders, atEdge)];
    const sourcesOf = (reports: readonly { readonly report: DiagnosticReport }[]) => [
      ...new Set(reports.map(({ report }) => context.record.sourceReference(report))),
    ];
    if (rivals.length > 0) {
      const what = pick === 'latest' ? 'be the newest' : 'belong to those that count';
      return missing('time-unknown', `a ${label} without a usable time may ${what}`, sourcesOf(rivals));
    }
    if (contenders.length === 0) return notFound;
    const said = contenders.map(({ report }) => conclusionOf(report, read));
    return agreed(label, said, contenders, sourcesOf(contenders));
  };
}

/** The reports with one of the codes that say something and count at as-of. */
function compileReports({ codes = [], status, window }: TextDefinition): (context: ExtractionContext) => Reports {
  const statuses: readonly string[] = status ?? reportStatuses;
  const isAsked = compileTokens(codes);
  return (context) => {
    const bounds = boundsOf(context, window);
    const dated: DatedReport[] = [];
    const untimed: { readonly report: DiagnosticReport; readonly latest: number }[] = [];
    const atEdge: DatedReport[] = [];
    for (const report of context.record.byType('DiagnosticReport')) {
      if (!isAsked(report.code) || !saysSomething(report)) continue;
      const standing = standingOf(context, report, statuses, bounds);
      if (standing === undefined || standing.is === 'undecided') continue;
      if (standing.is === 'untimed') untimed.push({ report, latest: standing.latest });
      else (standing.is === 'at-edge' ? atEdge : dated).push({ report, time: standing.time, at: standing.at });
    }
    return { dated, untimed, atEdge };
  };
}

/** A report without words, such as one that only groups results, is passed over; one whose words stand elsewhere is not. */
function saysSomething(report: DiagnosticReport): boolean {
  const { conclusionCode = [], presentedForm = [] } = report;
  return (
    changesMeaning(report) ||
    Object.keys(report).some((key) => /^_?conclusion$/.test(key)) ||
    conclusionCode.length + presentedForm.length > 0
  );
}

function conclusionOf(report: DiagnosticReport, read: TextReader): { readonly value: string } | Unread {
  if (changesMeaning(report)) return { because: 'undecodable', detail: 'it carries a modifier that is not known here' };
  if (report.conclusion === undefined)
    return { because: 'undecodable', detail: 'what the report concludes stands elsewhere, as a code or a document' };
  return read(report.conclusion);
}
