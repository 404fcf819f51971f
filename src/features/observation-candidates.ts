import type { Observation } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import { boundsOf, standingOf } from './result-standing.ts';

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

export interface CandidatesFound {
  readonly candidates: ObservationCandidate[];
  /** Without a usable time, and perhaps inside the window. */
  readonly untimed: UntimedCandidate[];
  /** Their time may lie on either side of the beginning of the window. */
  readonly atEdge: ObservationCandidate[];
  /** Of the status `unknown`, and perhaps inside the window: nobody says whether they count. */
  readonly undecided: Observation[];
}

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
  const candidates: ObservationCandidate[] = [];
  const untimed: UntimedCandidate[] = [];
  const atEdge: ObservationCandidate[] = [];
  const undecided: Observation[] = [];
  const bounds = boundsOf(context, window, anchor);
  for (const observation of observationsAt(context, places)) {
    if (isAboutAnother(context, observation)) continue;
    const standing = standingOf(context, observation, statuses, bounds);
    if (standing === undefined) continue;
    if (standing.is === 'undecided') undecided.push(observation);
    else if (standing.is === 'untimed') untimed.push({ observation, latest: standing.latest });
    else (standing.is === 'at-edge' ? atEdge : candidates).push({ observation, time: standing.time, at: standing.at });
  }
  return { candidates, untimed, atEdge, undecided };
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

/** A result in the mother's record may be about her child: `focus` says so. */
function isAboutAnother({ record }: ExtractionContext, { focus }: Observation): boolean {
  if (focus === undefined || focus.length === 0) return false;
  return !focus.some(({ reference }) => record.isSubject(reference));
}
