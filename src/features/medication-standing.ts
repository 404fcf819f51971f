import {
  countingStatuses,
  type MedicationDefinition,
  type MedicationSource,
} from '../model-catalog/medication-schema.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import { type Course, courseOf } from './medication-course.ts';
import type { Unread } from './pick-by-content.ts';
import type { MedicationResource } from './prescribed.ts';
import { isVague, isVagueAt } from './vague-time.ts';

/** Whether the patient took something at as-of: yes, no, or why it cannot be told. */
export type Standing = 'holds' | 'does-not-hold' | Unread;

/** Statuses of what never came to be taken, whatever the as-of. */
const neverTaken: Readonly<Record<MedicationSource, readonly string[]>> = {
  request: ['entered-in-error', 'draft', 'cancelled'],
  statement: ['entered-in-error', 'intended', 'not-taken'],
  administration: ['entered-in-error', 'not-done'],
  dispense: ['entered-in-error', 'preparation', 'cancelled', 'declined'],
};

/** How messages call it. */
const nouns: Readonly<Record<MedicationSource, string>> = {
  request: 'an order',
  statement: 'a statement',
  administration: 'an administration',
  dispense: 'a dispense',
};

/**
 * Says of the resources of one source whether they held at as-of, by the rule of the map.
 * @throws RangeError where the map needs a window and has none
 */
export function compileStanding(
  definition: MedicationDefinition,
  source: MedicationSource,
): (context: ExtractionContext, resource: MedicationResource) => Standing {
  const byPeriod = definition.activeAt === 'period';
  const isLasting = byPeriod && source !== 'administration';
  const isMomentary = !isLasting && (source === 'administration' || source === 'dispense');
  const { window } = definition;
  if (isMomentary && window === undefined) throw new RangeError(`'window' is needed by ${source}`);
  const counting = countingStatuses(definition, source);
  const noun = nouns[source];
  const unknownStatus: Unread = { because: 'undecodable', detail: `the status of ${noun} is unknown` };
  const vague = (what: string): Unread => ({
    because: 'time-unknown',
    detail: `whether ${noun} ${what} as-of cannot be told`,
  });

  /** It had begun, and was written down, at or before as-of. */
  const begunAt = (context: ExtractionContext, resource: MedicationResource): Standing => {
    const begun = context.rangeOf(beginningOf(resource));
    if (begun !== undefined && begun.start > context.asOf) return 'does-not-hold';
    if (begun === undefined || isVagueAt(context.asOf, begun)) return vague('had begun at');
    if (resource.resourceType !== 'MedicationStatement' || resource.dateAsserted === undefined) return 'holds';
    const known = context.rangeOf(resource.dateAsserted);
    const wasKnown = known !== undefined && known.start <= context.asOf && !isVagueAt(context.asOf, known);
    return wasKnown ? 'holds' : vague('was known at');
  };

  /** It happened in the window before as-of, or went on then. */
  const within = (context: ExtractionContext, resource: MedicationResource): Standing => {
    const begun = context.rangeOf(beginningOf(resource));
    const course = source === 'administration' ? courseOf(context, resource) : undefined;
    const last = course?.end ?? begun;
    if (last === undefined || course?.isUnread === true) return vague('was over long before');
    const since = context.since(window ?? '');
    if (last.start >= since) return 'holds';
    if (last.end > since && isVague(last)) return vague('was over long before');
    // What began before the window, and does not say when it ended.
    const isOpen = course?.start !== undefined && course.end === undefined;
    if (!isOpen) return 'does-not-hold';
    return resource.status === 'in-progress' ? 'holds' : vague('was over long before');
  };

  /** By its period, bounds or supply; what ended at an unknown time may have gone on, or not. */
  const wentOn = (context: ExtractionContext, resource: MedicationResource, course: Course): Standing => {
    if (course.isUnread) return vague('was over at');
    const { start, end } = course;
    if (start !== undefined && start.start > context.asOf) return 'does-not-hold';
    if (end !== undefined && end.end <= context.asOf) return 'does-not-hold';
    if (start !== undefined && isVagueAt(context.asOf, start)) return vague('had begun at');
    if (end !== undefined && isVagueAt(context.asOf, end)) return vague('was over at');
    const { status } = resource;
    if (status === 'unknown') return unknownStatus;
    const hasEnded = status === 'completed' || status === 'stopped';
    if (counting.includes(status) || (end !== undefined && course.isActual && hasEnded)) return 'holds';
    const changed = context.rangeOf(resource.meta?.lastUpdated);
    if (changed !== undefined && changed.start <= context.asOf) return 'does-not-hold';
    const detail = `${noun} that is ${status} today may have been active at as-of`;
    return { because: 'status-at-time-unknown', detail };
  };

  return (context, resource) => {
    const { status } = resource;
    const counts = counting.includes(status);
    const isUnknown = status === 'unknown';
    if (!counts && !isUnknown && (!isLasting || neverTaken[source].includes(status))) return 'does-not-hold';
    const begun = begunAt(context, resource);
    if (begun === 'does-not-hold') return begun;
    const standing = isMomentary
      ? within(context, resource)
      : isLasting
        ? wentOn(context, resource, courseOf(context, resource))
        : 'holds';
    if (standing === 'does-not-hold') return standing;
    if (isUnknown) return unknownStatus;
    return begun === 'holds' ? standing : begun;
  };
}

/** When it was ordered, began to be taken, or was handed over, as a FHIR date. */
export function beginningOf(resource: MedicationResource): string | undefined {
  switch (resource.resourceType) {
    case 'MedicationRequest':
      return resource.authoredOn;
    case 'MedicationStatement': {
      const { effectivePeriod, effectiveDateTime, dateAsserted } = resource;
      return effectivePeriod === undefined ? (effectiveDateTime ?? dateAsserted) : effectivePeriod.start;
    }
    case 'MedicationAdministration':
      return resource.effectiveDateTime ?? resource.effectivePeriod?.start;
    case 'MedicationDispense':
      return resource.whenHandedOver ?? resource.whenPrepared;
  }
}
