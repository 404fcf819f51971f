import type { Observation } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import { before } from '../model-catalog/record-queries.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import { lastInstant } from './last-instant.ts';
import { isVagueAt } from './vague-time.ts';

/** An Observation that counts at as-of, and when it was true. */
export interface ObservationCandidate {
  readonly observation: Observation;
  readonly time: InstantRange;
  /** The clinical time as the resource gives it. */
  readonly at: string;
}

/** An Observation that would count if it said when it was true. */
export interface UntimedCandidate {
  readonly observation: Observation;
  /** It cannot have become true after this instant: when it was issued, else as-of. */
  readonly latest: number;
}

const secondMs = 1_000;

export interface CandidatesFound {
  readonly candidates: ObservationCandidate[];
  /** Without a usable time, and perhaps inside the window. */
  readonly untimed: UntimedCandidate[];
  /** Their time may lie on either side of the beginning of the window. */
  readonly atEdge: ObservationCandidate[];
  /** Of the status `unknown`, and perhaps inside the window: nobody says whether they count. */
  readonly undecided: Observation[];
}

/** Statuses of a result that somebody stands by (FHIR observation-status). */
export const resultStatuses: readonly string[] = ['final', 'amended', 'corrected'];

/**
 * Observations with one of the codes that count at as-of: about the subject itself, status, clinical time inside the
 * window, and neither true nor known only later.
 * @param places of the codes, see `ObservationIndex`
 * @param anchor where the window ends; absent: at as-of
 */
export function observationCandidates(
  context: ExtractionContext,
  places: readonly number[],
  statuses: readonly string[],
  window: string,
  anchor?: InstantRange,
): CandidatesFound {
  const { asOf } = context;
  const [earliest, surely] = beginnings(context, window, anchor);
  const candidates: ObservationCandidate[] = [];
  const untimed: UntimedCandidate[] = [];
  const atEdge: ObservationCandidate[] = [];
  const undecided: Observation[] = [];
  for (const observation of observationsAt(context, places)) {
    if (isAboutAnother(context, observation)) continue;
    const isUndecided = !statuses.includes(observation.status);
    if (isUndecided && observation.status !== 'unknown') continue;
    if (isUnverifiedPrediction(observation)) continue;
    const issued = context.rangeOf(observation.issued)?.start;
    if (issued !== undefined && issued > asOf) continue;
    const begun = context.rangeOf(observation.effectivePeriod?.start)?.start;
    if (begun !== undefined && begun > asOf) continue;
    const at = clinicalDate(observation);
    const time = context.rangeOf(at);
    if (time !== undefined && time.start > asOf) continue;
    if (time !== undefined && anchor !== undefined && time.start > lastInstant(anchor)) continue;
    const latest = issued ?? asOf;
    if (isUndecided) {
      if (time === undefined ? latest >= earliest : time.end > earliest) undecided.push(observation);
      continue;
    }
    if (at === undefined || time === undefined || (observation.issued !== undefined && issued === undefined)) {
      if (latest >= earliest) untimed.push({ observation, latest });
      continue;
    }
    if (time.start < surely) {
      const mayBeIn = time.end > earliest && (surely > earliest || time.end - time.start > secondMs);
      if (mayBeIn) atEdge.push({ observation, time, at });
      continue;
    }
    const mayBeLater = anchor !== undefined && lastInstant(time) > anchor.start;
    if (mayBeLater || isVagueAt(asOf, time)) untimed.push({ observation, latest });
    else candidates.push({ observation, time, at });
  }
  return { candidates, untimed, atEdge, undecided };
}

/** When the window begins at the earliest, and when it has surely begun. */
function beginnings(context: ExtractionContext, window: string, anchor: InstantRange | undefined): [number, number] {
  if (anchor === undefined) {
    const since = context.since(window);
    return [since, since];
  }
  const startOf = (end: number): number => before(new Date(end), window).getTime();
  return [startOf(anchor.start), startOf(lastInstant(anchor))];
}

/** The Observations at several places, each once: one with several codes stands at several. */
function observationsAt({ observations }: ExtractionContext, places: readonly number[]): Iterable<Observation> {
  let only: readonly Observation[] = [];
  let all: Set<Observation> | undefined;
  for (const place of places) {
    const found = observations[place] ?? [];
    if (found.length === 0) continue;
    if (only.length === 0) {
      only = found;
      continue;
    }
    all ??= new Set(only);
    for (const observation of found) all.add(observation);
  }
  return all ?? only;
}

/** What a model has computed and nobody has verified is no measurement, also where a map counts preliminary results. */
function isUnverifiedPrediction({ status, meta }: Observation): boolean {
  if (status !== 'preliminary') return false;
  return (meta?.security ?? []).some(
    ({ system, code }) => system === 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue' && code === 'AIAST',
  );
}

/** A result in the mother's record may be about her child: `focus` says so. */
function isAboutAnother({ record }: ExtractionContext, { focus }: Observation): boolean {
  if (focus === undefined || focus.length === 0) return false;
  return !focus.some(({ reference }) => record.isSubject(reference));
}

/** effectiveDateTime, effectiveInstant, or the end of effectivePeriod. A Timing or a Period without an end has no single time. */
function clinicalDate(observation: Observation): string | undefined {
  return observation.effectiveDateTime ?? observation.effectiveInstant ?? observation.effectivePeriod?.end;
}
