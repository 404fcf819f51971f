import type { Encounter } from '@medplum/fhirtypes';
import { compileTokens, systemsOf } from '../fhir/codes.ts';
import type { EncounterDefinition } from '../model-catalog/feature-map-schema.ts';
import { before } from '../model-catalog/record-queries.ts';
import { compileAbsence } from './absence.ts';
import { attendedStatuses } from './attendance.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { compareTexts } from './pick-by-content.ts';
import { unitMs } from './time-unit.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVague, isVagueAt } from './vague-time.ts';

/** An encounter that counts, and when it began and ended, epoch milliseconds. */
interface Stay {
  readonly encounter: Encounter;
  readonly startMs: number;
  /** Absent for one that goes on at as-of. */
  readonly endMs?: number;
  /** It has ended, and when is not known, or to the month or year only. */
  readonly isEndUnknown?: boolean;
}

/**
 * Encounters that began in the window: how many, how long ago the last one ended, or how long the encounter lasted that the
 * call is about. One that may count and cannot be understood, or does not say when it was, makes the whole unknown.
 * @throws RangeError where `per` cannot be counted in, or class or window are needed
 */
export function compileEncounter(definition: EncounterDefinition): FeatureExtractor {
  const { label, pick } = definition;
  const perMs = pick === 'count' ? 1 : unitMs(definition.per);
  if (pick === 'length-of-stay') return (context) => lengthOfStay(context, label, perMs);
  const { class: classes, window } = definition;
  if (classes === undefined || window === undefined) throw new RangeError(`${label} needs class and window`);
  const staysIn = compileStays(definition, classes, window);
  const none = compileNone(definition, window);
  return (context) => {
    const index = context.record.encounter;
    if (needsIndex(definition) && index === undefined) return missing('not-found', noIndex(label));
    const { stays, doubts } = staysIn(context);
    if (doubts.length > 0) {
      const sources = doubts.map(({ encounter }) => context.record.sourceReference(encounter));
      const [why = ''] = doubts.map((doubt) => doubt.why).sort();
      return missing('undecodable', `${label}: ${why}`, sources);
    }
    if (stays.length === 0) return none(context);
    const sources = stays.map(({ encounter }) => context.record.sourceReference(encounter));
    const last = lastOf(stays);
    if (pick === 'time-since' && last.isEndUnknown === true)
      return missing('time-unknown', `${label}: when the last one ended is not known well enough`, sources);
    const at = last.encounter.period?.end ?? last.encounter.period?.start;
    const value = pick === 'count' ? stays.length : (context.asOf - (last.endMs ?? context.asOf)) / perMs;
    return { state: 'derived', value, ...(at === undefined ? {} : { at }), from: [], sources };
  };
}

function needsIndex({ anchor, excludeIndex }: EncounterDefinition): boolean {
  return anchor === 'encounter-start' || excludeIndex === true;
}

function noIndex(label: string): string {
  return `${label}: the call names no encounter`;
}

interface Stays {
  readonly stays: readonly Stay[];
  readonly doubts: readonly { readonly encounter: Encounter; readonly why: string }[];
}

function compileStays(
  definition: EncounterDefinition,
  classes: readonly string[],
  window: string,
): (context: ExtractionContext) => Stays {
  const isWanted = compileTokens(classes);
  const systems = systemsOf(classes);
  return (context) => {
    const { record, asOf } = context;
    const index = record.encounter;
    const anchor = definition.anchor === 'encounter-start' ? context.rangeOf(index?.period?.start)?.start : asOf;
    const stays: Stay[] = [];
    const doubts: Stays['doubts'][number][] = [];
    if (anchor === undefined && index !== undefined)
      return { stays, doubts: [{ encounter: index, why: 'the encounter of the call does not say when it began' }] };
    const until = anchor ?? asOf;
    const earliest = before(new Date(until), window).getTime();
    for (const encounter of record.byType('Encounter')) {
      if (definition.excludeIndex === true && encounter === index) continue;
      if (!attendedStatuses.includes(encounter.status) && encounter.status !== 'unknown') continue;
      const isKnown = systems.has(encounter.class.system ?? '');
      if (isKnown && !isWanted({ coding: [encounter.class] })) continue;
      const start = context.rangeOf(encounter.period?.start);
      if (start !== undefined && (start.start > until || start.end <= earliest)) continue;
      const doubt = (why: string): void => void doubts.push({ encounter, why });
      if (start === undefined || isVagueAt(until, start) || start.start < earliest)
        doubt('whether an encounter began in the window cannot be told from its time');
      else if (changesMeaning(encounter)) doubt('an encounter carries a modifier that is not known here');
      else if (!isKnown) doubt('the class of an encounter is of a system that the list does not know');
      else if (encounter.status === 'unknown') doubt('the status of an encounter is unknown');
      else stays.push({ encounter, startMs: start.start, ...endOf(context, encounter) });
    }
    return { stays, doubts };
  };
}

/** An end after as-of, or one that may lie there, was not known then. */
function endOf(context: ExtractionContext, { period, status }: Encounter): Pick<Stay, 'endMs' | 'isEndUnknown'> {
  const end = context.rangeOf(period?.end);
  if (end === undefined) return { isEndUnknown: status === 'finished' || period?.end !== undefined };
  if (end.start > context.asOf || isVagueAt(context.asOf, end)) return {};
  return { endMs: end.start, isEndUnknown: isVague(end) };
}

/** The one that ended last; one that goes on ends after all others. */
function lastOf(stays: readonly Stay[]): Stay {
  const [first] = [...stays].sort((one, other) => {
    const [ended, otherEnded] = [one.endMs ?? Number.MAX_VALUE, other.endMs ?? Number.MAX_VALUE];
    return otherEnded - ended || compareTexts(one.encounter.id ?? '', other.encounter.id ?? '');
  });
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

/** From the beginning of the encounter of the call to its end, or to as-of while it goes on. */
function lengthOfStay(context: ExtractionContext, label: string, perMs: number): FeatureValue {
  const { encounter } = context.record;
  if (encounter === undefined) return missing('not-found', noIndex(label));
  const sources = [context.record.sourceReference(encounter)];
  if (changesMeaning(encounter))
    return missing('undecodable', `${label}: the encounter carries a modifier that is not known here`, sources);
  const start = context.rangeOf(encounter.period?.start);
  const { endMs = context.asOf, isEndUnknown = false } = endOf(context, encounter);
  if (start === undefined || start.start > context.asOf || isVague(start) || isEndUnknown)
    return missing('time-unknown', `${label}: the encounter does not say well enough when it began or ended`, sources);
  const at = encounter.period?.start;
  return { state: 'derived', value: (endMs - start.start) / perMs, ...(at && { at }), from: [], sources };
}
