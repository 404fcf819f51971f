import type { DiagnosticReport, Observation } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import { before } from '../model-catalog/record-queries.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import { lastInstant } from './last-instant.ts';
import { isVagueAt } from './vague-time.ts';

/** Statuses of a result that somebody stands by (FHIR observation-status). */
export const resultStatuses: readonly string[] = ['final', 'amended', 'corrected'];

const secondMs = 1_000;

/** What somebody reports, and when it was true and known. */
export type DatedResult = Observation | DiagnosticReport;

/** In which way a result that may count at as-of does so. */
export type Standing =
  | { readonly is: 'candidate' | 'at-edge'; readonly time: InstantRange; readonly at: string }
  | { readonly is: 'untimed'; readonly latest: number }
  | { readonly is: 'undecided' };

/** From when to when results count. */
export interface Bounds {
  /** When the window begins at the earliest. */
  readonly earliest: number;
  /** When it has surely begun. */
  readonly surely: number;
  /** Where it ends; undefined: at as-of. */
  readonly anchor: InstantRange | undefined;
}

export function boundsOf(context: ExtractionContext, window: string, anchor?: InstantRange): Bounds {
  if (anchor === undefined) {
    const since = context.since(window);
    return { earliest: since, surely: since, anchor };
  }
  const startOf = (end: number): number => before(new Date(end), window).getTime();
  return { earliest: startOf(anchor.start), surely: startOf(lastInstant(anchor)), anchor };
}

/** Undefined where a result surely does not count: by its status, or because it was true or known at another time. */
export function standingOf(
  context: ExtractionContext,
  result: DatedResult,
  statuses: readonly string[],
  { earliest, surely, anchor }: Bounds,
): Standing | undefined {
  const { asOf } = context;
  const isUndecided = !statuses.includes(result.status);
  if (isUndecided && result.status !== 'unknown') return undefined;
  if (isUnverifiedPrediction(result)) return undefined;
  const issued = context.rangeOf(result.issued)?.start;
  if (issued !== undefined && issued > asOf) return undefined;
  const begun = context.rangeOf(result.effectivePeriod?.start)?.start;
  if (begun !== undefined && begun > asOf) return undefined;
  const at = clinicalDate(result);
  const time = context.rangeOf(at);
  if (time !== undefined && time.start > asOf) return undefined;
  if (time !== undefined && anchor !== undefined && time.start > lastInstant(anchor)) return undefined;
  const latest = issued ?? asOf;
  if (isUndecided) {
    const mayBeIn = time === undefined ? latest >= earliest : time.end > earliest;
    return mayBeIn ? { is: 'undecided' } : undefined;
  }
  if (at === undefined || time === undefined || (result.issued !== undefined && issued === undefined))
    return latest >= earliest ? { is: 'untimed', latest } : undefined;
  if (time.start < surely) {
    const mayBeIn = time.end > earliest && (surely > earliest || time.end - time.start > secondMs);
    return mayBeIn ? { is: 'at-edge', time, at } : undefined;
  }
  const mayBeLater = anchor !== undefined && lastInstant(time) > anchor.start;
  return mayBeLater || isVagueAt(asOf, time) ? { is: 'untimed', latest } : { is: 'candidate', time, at };
}

/**
 * What a model has computed and nobody has verified is no measurement, also where a map counts preliminary results; nor is a report of a
 * study that was amended, which nobody has read since.
 */
function isUnverifiedPrediction(result: DatedResult): boolean {
  const { status, meta } = result;
  const isUnread = result.resourceType === 'DiagnosticReport' && status === 'amended' && !result.resultsInterpreter;
  if (status !== 'preliminary' && !isUnread) return false;
  return (meta?.security ?? []).some(
    ({ system, code }) => system === 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue' && code === 'AIAST',
  );
}

/** effectiveDateTime, effectiveInstant, or the end of effectivePeriod. A Timing or a Period without an end has no single time. */
function clinicalDate(result: DatedResult): string | undefined {
  const instant = result.resourceType === 'Observation' ? result.effectiveInstant : undefined;
  return result.effectiveDateTime ?? instant ?? result.effectivePeriod?.end;
}
