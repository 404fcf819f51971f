import type { Observation, Resource } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import { before } from '../model-catalog/record-queries.ts';
import type { ExtractionContext } from './feature-extractor.ts';
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

/** Statuses of a result that somebody stands by (FHIR observation-status). */
export const resultStatuses: readonly string[] = ['final', 'amended', 'corrected'];

/**
 * Observations with one of the codes that count at as-of: about the subject itself, status, clinical time inside the
 * window, and neither true nor known only later.
 */
export function observationCandidates(
  context: ExtractionContext,
  codes: readonly string[],
  statuses: readonly string[],
  window: string,
): { candidates: ObservationCandidate[]; untimed: UntimedCandidate[] } {
  const earliest = before(new Date(context.asOf), window).getTime();
  const seen = new Set<Resource>();
  const candidates: ObservationCandidate[] = [];
  const untimed: UntimedCandidate[] = [];
  for (const code of codes) {
    for (const resource of context.observationsByCode(code)) {
      if (seen.has(resource)) continue;
      seen.add(resource);
      const observation = resource as Observation;
      if (!statuses.includes(observation.status) || isAboutAnother(context, observation)) continue;
      const issued = context.rangeOf(observation.issued)?.start;
      if (issued !== undefined && issued > context.asOf) continue;
      const begun = context.rangeOf(observation.effectivePeriod?.start)?.start;
      if (begun !== undefined && begun > context.asOf) continue;
      const clinical = clinicalTime(context, observation);
      if (clinical === undefined || (observation.issued !== undefined && issued === undefined)) {
        untimed.push({ observation, latest: issued ?? context.asOf });
        continue;
      }
      if (clinical.time.start > context.asOf || clinical.time.start < earliest) continue;
      if (isVagueAt(context.asOf, clinical.time)) {
        untimed.push({ observation, latest: issued ?? context.asOf });
        continue;
      }
      candidates.push({ observation, ...clinical });
    }
  }
  return { candidates, untimed };
}

/** A result in the mother's record may be about her child: `focus` says so. */
function isAboutAnother(context: ExtractionContext, { focus = [] }: Observation): boolean {
  return focus.length > 0 && !focus.some(({ reference }) => context.record.isSubject(reference));
}

/** effectiveDateTime, effectiveInstant, or the end of effectivePeriod. A Timing or a Period without an end has no single time. */
function clinicalTime(
  context: ExtractionContext,
  observation: Observation,
): { time: InstantRange; at: string } | undefined {
  const at = observation.effectiveDateTime ?? observation.effectiveInstant ?? observation.effectivePeriod?.end;
  const time = context.rangeOf(at);
  return at === undefined || time === undefined ? undefined : { time, at };
}
