import type { Encounter } from '@medplum/fhirtypes';
import { DateTime } from 'luxon';
import type { InstantRange } from '../fhir/instant-range.ts';
import { isPlainNumber } from '../fhir/plain-number.ts';
import type { EncounterDefinition } from '../model-catalog/feature-map-schema.ts';
import { before } from '../model-catalog/record-queries.ts';
import { compileAbsence } from './absence.ts';
import { attendedStatuses } from './attendance.ts';
import { durationWords } from './duration-words.ts';
import { compileEncounterClass } from './encounter-class.ts';
import { type ExtractionContext, type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { compareTexts } from './pick-by-content.ts';
import { unitMs } from './time-unit.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVague, isVagueAt } from './vague-time.ts';

/** When an encounter ended, as it was known at as-of. */
interface Ending {
  /** Epoch milliseconds. Absent for one that goes on at as-of. */
  readonly endMs?: number;
  /** It has ended, and when is not known well enough, or not possible. */
  readonly isUnknown?: boolean;
}

/** An encounter that counts. */
interface Stay extends Ending {
  readonly encounter: Encounter;
}

/**
 * Encounters that began in the window: how many, how long ago the last one ended, or how long the encounter lasted that the
 * call is about. One that may count and cannot be understood, or does not say when it was, makes the whole unknown.
 * @throws RangeError where `per` cannot be counted in, or class or window are needed
 */
export function compileEncounter(definition: EncounterDefinition): FeatureExtractor {
  const { label, pick } = definition;
  if (pick === 'nights') return (context) => nights(context, label);
  const perMs = pick === 'count' ? 1 : unitMs(definition.per);
  if (pick === 'length-of-stay') return (context) => lengthOfStay(context, label, perMs);
  const { class: classes, window } = definition;
  if (classes === undefined || window === undefined) throw new RangeError(`${label} needs class and window`);
  const staysIn = compileStays(definition, classes, window);
  const none = compileNone(definition, window);
  const needsIndex = definition.anchor === 'encounter-start' || definition.excludeIndex === true;
  return (context) => {
    if (needsIndex && context.record.encounter === undefined) return noEncounter(label);
    const { stays, doubts } = staysIn(context);
    if (doubts.length > 0) {
      const sources = doubts.map(({ encounter }) => context.record.sourceReference(encounter));
      const [why = ''] = doubts.map((doubt) => doubt.why).sort();
      return missing('undecodable', `${label}: ${why}`, sources);
    }
    if (stays.length === 0) return none(context);
    const sources = stays.map(({ encounter }) => context.record.sourceReference(encounter));
    const last = lastOf(stays);
    if (pick === 'time-since' && last.isUnknown === true)
      return missing('time-unknown', `${label}: when the last one ended is not known well enough`, sources);
    const at = atOf(last);
    const value = pick === 'count' ? stays.length : (context.asOf - (last.endMs ?? context.asOf)) / perMs;
    if (!isPlainNumber(value)) return unsayable(label, sources);
    return { state: 'derived', value, ...(at === undefined ? {} : { at }), from: [], sources };
  };
}

function noEncounter(label: string): FeatureValue {
  return missing('no-encounter', `${label}: the call names no encounter`);
}

interface Stays {
  readonly stays: readonly Stay[];
  readonly doubts: readonly { readonly encounter: Encounter; readonly why: string }[];
}

const noTime = 'whether an encounter began in the window cannot be told from its time';

function compileStays(
  definition: EncounterDefinition,
  classes: readonly string[],
  window: string,
): (context: ExtractionContext) => Stays {
  const classOf = compileEncounterClass(classes);
  return (context) => {
    const { record, asOf } = context;
    const index = record.encounter;
    const isAnchored = definition.anchor === 'encounter-start';
    const anchor = isAnchored ? context.rangeOf(index?.period?.start) : { start: asOf, end: asOf + 1 };
    const stays: Stay[] = [];
    const doubts: Stays['doubts'][number][] = [];
    if (index !== undefined && (anchor === undefined || isVague(anchor)))
      return { stays, doubts: [{ encounter: index, why: 'the encounter of the call does not say when it began' }] };
    if (anchor === undefined) return { stays, doubts };
    const earliest = before(new Date(anchor.start), window).getTime();
    for (const encounter of record.byType('Encounter')) {
      if (definition.excludeIndex === true && encounter === index) continue;
      if (!attendedStatuses.includes(encounter.status) && encounter.status !== 'unknown') continue;
      const isWanted = classOf(encounter);
      if (isWanted === false) continue;
      const start = context.rangeOf(encounter.period?.start);
      if (start !== undefined && (isAfter(start, anchor) || start.end <= earliest)) continue;
      const doubt = (why: string): void => void doubts.push({ encounter, why });
      if (start === undefined || isVagueAt(anchor.start, start) || start.start < earliest) doubt(noTime);
      // On the day of an anchor without a time: before or after it cannot be told.
      else if (start.start > anchor.start) doubt(noTime);
      else if (changesMeaning(encounter)) doubt('an encounter carries a modifier that is not known here');
      else if (isWanted === 'unknown') doubt('the class of an encounter is of a system that the list does not know');
      else if (encounter.status === 'unknown') doubt('the status of an encounter is unknown');
      else stays.push({ encounter, ...endingOf(context, encounter, start) });
    }
    return { stays, doubts };
  };
}

/** For certain: what is written to the second is that second's beginning. */
function isAfter(start: InstantRange, anchor: InstantRange): boolean {
  const secondMs = 1_000;
  return start.start > (anchor.end - anchor.start <= secondMs ? anchor.start : anchor.end - 1);
}

/** An end after as-of was not known then. A date without a time is the beginning of its day, but not before the start. */
function endingOf(context: ExtractionContext, { period, status }: Encounter, start: InstantRange): Ending {
  const end = context.rangeOf(period?.end);
  if (end === undefined) return { isUnknown: status === 'finished' || period?.end !== undefined };
  if (end.start > context.asOf) return {};
  return { endMs: Math.max(end.start, start.start), isUnknown: isVague(end) || end.end <= start.start };
}

/** When it ended, or, of one that goes on, when it began. */
function atOf({ encounter: { period }, endMs }: Stay): string | undefined {
  return endMs === undefined ? period?.start : period?.end;
}

/** The one that ended last; one that goes on ends after all others, and so may one whose end is not known. */
function lastOf(stays: readonly Stay[]): Stay {
  const endOf = ({ endMs, isUnknown }: Stay): number =>
    isUnknown === true ? Number.POSITIVE_INFINITY : (endMs ?? Number.MAX_VALUE);
  const [first] = [...stays].sort(
    (one, other) =>
      endOf(other) - endOf(one) ||
      compareTexts(one.encounter.id ?? '', other.encounter.id ?? '') ||
      compareTexts(atOf(one) ?? '', atOf(other) ?? ''),
  );
  if (first === undefined) throw new Error('there is no last of none');
  return first;
}

function compileNone(
  { label, absent }: EncounterDefinition,
  window: string,
): (context: ExtractionContext) => FeatureValue {
  const notFound = missing('not-found', `no ${label} within ${durationWords(window)}`);
  if (absent === undefined) return () => notFound;
  const absence = compileAbsence(label, absent.encounterWithin, 0);
  return (context) => absence(context, []);
}

/**
 * The midnights of the site between the beginning of the encounter of the call and its end, or as-of while it goes on: the
 * date of discharge minus the date of admission, as hospitals count days. Dates without a time will do.
 */
function nights(context: ExtractionContext, label: string): FeatureValue {
  const { encounter } = context.record;
  if (encounter === undefined) return noEncounter(label);
  const sources = [context.record.sourceReference(encounter)];
  if (changesMeaning(encounter) || !attendedStatuses.includes(encounter.status))
    return missing('undecodable', `${label}: the encounter cannot be read as one that took place`, sources);
  const { period, status } = encounter;
  const start = context.rangeOf(period?.start);
  const end = context.rangeOf(period?.end);
  const hasEnded = end !== undefined && end.start <= context.asOf;
  const isOpen = end === undefined && period?.end === undefined && status !== 'finished';
  const goesOn = isOpen || (end !== undefined && !hasEnded);
  const from = start === undefined || start.start > context.asOf ? undefined : onlyDay(context, start);
  const to = goesOn ? context.dayOf(context.asOf) : hasEnded ? onlyDay(context, end) : undefined;
  if (from === undefined || to === undefined || to < from)
    return missing('time-unknown', `${label}: the encounter does not say well enough when it began or ended`, sources);
  const value = DateTime.fromISO(to, { zone: 'utc' }).diff(DateTime.fromISO(from, { zone: 'utc' }), 'days').days;
  const at = period?.start;
  return { state: 'derived', value, ...(at && { at }), from: [], sources };
}

/** The day of the site that a time lies on; undefined where it may be another one. */
function onlyDay({ dayOf }: ExtractionContext, { start, end }: InstantRange): string | undefined {
  const day = dayOf(start);
  return dayOf(end - 1) === day ? day : undefined;
}

/** From the beginning of the encounter of the call to its end, or to as-of while it goes on. */
function lengthOfStay(context: ExtractionContext, label: string, perMs: number): FeatureValue {
  const { encounter } = context.record;
  if (encounter === undefined) return noEncounter(label);
  const sources = [context.record.sourceReference(encounter)];
  if (changesMeaning(encounter) || !attendedStatuses.includes(encounter.status))
    return missing('undecodable', `${label}: the encounter cannot be read as one that took place`, sources);
  const start = context.rangeOf(encounter.period?.start);
  const ending = start === undefined ? undefined : endingOf(context, encounter, start);
  if (start === undefined || start.start > context.asOf || isVague(start) || ending?.isUnknown === true)
    return missing('time-unknown', `${label}: the encounter does not say well enough when it began or ended`, sources);
  const at = encounter.period?.start;
  const value = ((ending?.endMs ?? context.asOf) - start.start) / perMs;
  if (!isPlainNumber(value)) return unsayable(label, sources);
  return { state: 'derived', value, ...(at && { at }), from: [], sources };
}
