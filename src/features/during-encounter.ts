import type { Encounter } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import { lastInstant } from './last-instant.ts';
import { isVague } from './vague-time.ts';

/** Whether something lies where it counts, or why that cannot be told. */
export type Placement = 'inside' | 'outside' | { readonly unknown: string };

/** What is known of where something belongs. */
export interface Placeable {
  readonly time: InstantRange | undefined;
  /** The encounter that it names itself. */
  readonly encounter: string | undefined;
  /** It had happened at as-of, though its time may be vague or not given. */
  readonly hadHappened: boolean;
  /** It went on at as-of. */
  readonly goesOn: boolean;
}

/**
 * Whether something that had not happened after as-of belongs to the encounter of the call: it names that encounter, or a
 * part of it; where it names none, by its time.
 */
export function placeInEncounter(context: ExtractionContext, index: Encounter, placeable: Placeable): Placement {
  const { record, asOf } = context;
  const ending = context.rangeOf(index.period?.end);
  const isOver = ending !== undefined && ending.end <= asOf;
  const { time, encounter, hadHappened, goesOn } = placeable;
  if (encounter === undefined) return byTime(context, index, time, goesOn);
  const named = record.encounterBehind(encounter);
  if (named === undefined || named.status === 'entered-in-error') {
    if (byTime(context, index, time, goesOn) === 'outside') return 'outside';
    return { unknown: 'the encounter that it names is not in the record' };
  }
  const within = isWithin(record, named, index);
  if (within === 'unknown') {
    if (byTime(context, index, time, goesOn) === 'outside') return 'outside';
    return { unknown: 'the encounter that it names is part of one that is not in the record' };
  }
  if (!within) return 'outside';
  if (hadHappened || isOver) return 'inside';
  return { unknown: 'whether it had happened at as-of cannot be told from its time' };
}

const deepest = 8;

/** The encounter itself, or a part of it (`partOf`); unknown where that cannot be followed. */
function isWithin(record: ClinicalRecord, encounter: Encounter, whole: Encounter): boolean | 'unknown' {
  let part: Encounter | undefined = encounter;
  for (let depth = 0; part !== undefined && depth < deepest; depth++) {
    if (part.id === whole.id) return true;
    if (part.partOf === undefined) return false;
    part = part.partOf.reference === undefined ? undefined : record.encounterBehind(part.partOf.reference);
  }
  return 'unknown';
}

function byTime(
  context: ExtractionContext,
  index: Encounter,
  time: InstantRange | undefined,
  reachesAsOf: boolean,
): Placement {
  const unknown = { unknown: 'whether it lies in the encounter cannot be told from its time' };
  const start = context.rangeOf(index.period?.start);
  if (time === undefined || start === undefined) return unknown;
  const given = context.rangeOf(index.period?.end);
  const goesOn = given === undefined ? index.status !== 'finished' : given.start > context.asOf;
  if (lastInstant(time) < start.start) return reachesAsOf ? 'inside' : 'outside';
  if (!goesOn && given !== undefined && time.start > lastInstant(given)) return 'outside';
  if (time.start < lastInstant(start)) return unknown;
  if (goesOn) return isVague(time) && time.end > context.asOf ? unknown : 'inside';
  return given !== undefined && lastInstant(time) <= given.start ? 'inside' : unknown;
}
