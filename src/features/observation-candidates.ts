import type { Observation, Resource } from '@medplum/fhirtypes';
import { type InstantRange, instantRange } from '../fhir/instant-range.ts';
import { before } from '../model-catalog/record-queries.ts';
import type { ExtractionContext } from './feature-extractor.ts';

/** An Observation that counts at as-of, and when it was true. */
export interface ObservationCandidate {
  readonly observation: Observation;
  readonly time: InstantRange;
  /** The clinical time as the resource gives it. */
  readonly at: string;
}

/** Statuses of a result that somebody stands by (FHIR observation-status). */
export const resultStatuses: readonly string[] = ['final', 'amended', 'corrected'];

/**
 * Observations with one of the codes that count at as-of: status, clinical time inside the window, and neither true
 * nor known only later. `untimed` counts those that would count if they said when they were true.
 */
export function observationCandidates(
  context: ExtractionContext,
  codes: readonly string[],
  statuses: readonly string[],
  window: string,
): { candidates: ObservationCandidate[]; untimed: Observation[] } {
  const earliest = before(new Date(context.asOf), window).getTime();
  const seen = new Set<Resource>();
  const candidates: ObservationCandidate[] = [];
  const untimed: Observation[] = [];
  for (const code of codes) {
    for (const resource of context.observationsByCode(code)) {
      if (seen.has(resource)) continue;
      seen.add(resource);
      const observation = resource as Observation;
      if (!statuses.includes(observation.status)) continue;
      const clinical = clinicalTime(observation, context.timeZone);
      const issued = observation.issued === undefined ? undefined : instantRange(observation.issued, context.timeZone);
      if (clinical === undefined || (observation.issued !== undefined && issued === undefined)) {
        untimed.push(observation);
        continue;
      }
      if (clinical.time.start > context.asOf || clinical.time.start < earliest) continue;
      if (issued !== undefined && issued.start > context.asOf) continue;
      candidates.push({ observation, ...clinical });
    }
  }
  return { candidates, untimed };
}

/** effectiveDateTime, effectiveInstant, or the end of effectivePeriod. A Timing has no single time. */
function clinicalTime(observation: Observation, timeZone: string): { time: InstantRange; at: string } | undefined {
  const at = observation.effectiveDateTime ?? observation.effectiveInstant ?? observation.effectivePeriod?.end;
  if (at === undefined) return undefined;
  const time = instantRange(at, timeZone);
  return time === undefined ? undefined : { time, at };
}
