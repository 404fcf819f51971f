import type { Appointment } from '@medplum/fhirtypes';
import type { ExtractionContext } from './feature-extractor.ts';
import type { MissingReason, SourceReference } from './feature-vector.ts';
import { firstReason, type Unread } from './pick-by-content.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVagueAt } from './vague-time.ts';

type Next =
  | { readonly appointment: Appointment; readonly startMs: number; readonly sources: readonly SourceReference[] }
  | { readonly because: MissingReason; readonly detail: string; readonly sources: readonly SourceReference[] };

/** Statuses of an appointment that is booked, or was before it took place or was missed (FHIR appointmentstatus). */
const booked: readonly string[] = ['booked', 'arrived', 'checked-in', 'fulfilled', 'noshow'];

interface Candidate {
  readonly appointment: Appointment;
  /** Epoch milliseconds; the earliest possible for one that does not say when it is. */
  readonly startMs: number;
  readonly doubt: Unread | undefined;
}

/**
 * The first appointment after as-of that was booked then. One that may have been, and does not lie after it, makes it
 * unknown; two at one time are a conflict.
 */
export function nextAppointment(context: ExtractionContext): Next {
  const candidates = context.record.byType('Appointment').flatMap((appointment) => candidateOf(context, appointment));
  const firstMs = Math.min(...candidates.map(({ startMs, doubt }) => (doubt ? Number.POSITIVE_INFINITY : startMs)));
  const contenders = candidates.filter(({ startMs }) => startMs <= firstMs);
  const sources = contenders.map(({ appointment }) => context.record.sourceReference(appointment));
  const reason = firstReason(contenders.flatMap(({ doubt }) => doubt ?? []));
  if (reason !== undefined) return { ...reason, sources };
  const [next, ...others] = contenders;
  if (next === undefined) return { because: 'not-found', detail: 'no booked appointment after as-of', sources };
  if (others.length > 0) return { because: 'conflict', detail: 'two appointments are booked for one time', sources };
  return { appointment: next.appointment, startMs: next.startMs, sources };
}

function candidateOf(context: ExtractionContext, appointment: Appointment): Candidate[] {
  const { asOf, rangeOf } = context;
  const isCancelled = appointment.status === 'cancelled';
  if (!isCancelled && !booked.includes(appointment.status)) return [];
  const start = rangeOf(appointment.start);
  if (start !== undefined && start.start <= asOf) return [];
  const created = rangeOf(appointment.created);
  if (created !== undefined && created.start > asOf) return [];
  const written = rangeOf(appointment.meta?.lastUpdated);
  const isWrittenThen = written !== undefined && written.start <= asOf;
  // What is cancelled needs no time.
  if (isCancelled && (isWrittenThen || start === undefined)) return [];
  const isKnownThen = isWrittenThen || (created !== undefined && !isVagueAt(asOf, created));
  const startMs = start?.start ?? Number.NEGATIVE_INFINITY;
  return [{ appointment, startMs, doubt: doubtAbout(appointment, { isCancelled, isKnownThen }) }];
}

function doubtAbout(
  appointment: Appointment,
  { isCancelled, isKnownThen }: { readonly isCancelled: boolean; readonly isKnownThen: boolean },
): Unread | undefined {
  if (changesMeaning(appointment))
    return { because: 'undecodable', detail: 'an appointment carries a modifier that is not known here' };
  if (isCancelled)
    return {
      because: 'status-at-time-unknown',
      detail: 'an appointment was cancelled, and whether by as-of is not known',
    };
  if (appointment.start === undefined)
    return { because: 'time-unknown', detail: 'a booked appointment does not say when it is' };
  if (!isKnownThen)
    return { because: 'time-unknown', detail: 'whether an appointment had been made at as-of is not known' };
  return undefined;
}
