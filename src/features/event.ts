import { isPlainNumber } from '../fhir/plain-number.ts';
import type { EventTerms } from '../model-catalog/event-schema.ts';
import type { RecordResource } from '../records/clinical-record.ts';
import { compileAbsence } from './absence.ts';
import { durationWords } from './duration-words.ts';
import { type Placement, placeInEncounter } from './during-encounter.ts';
import { type ExtractionContext, type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { firstReason, pickDate, type Unread } from './pick-by-content.ts';
import { unitMs } from './time-unit.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVague, isVagueAt } from './vague-time.ts';

/** Something that happened or was asked for, and may be one of those that count. */
export interface RecordedEvent {
  readonly resource: RecordResource;
  /** When, as the resource gives it; absent where it gives no time that can be used. */
  readonly at: string | undefined;
  /** It has begun then, and went on at as-of. */
  readonly goesOn?: boolean;
  /** Reference to the encounter that it names itself. */
  readonly encounter: string | undefined;
  /** Whether it counts by all but its time; or why that cannot be told. Asked only where its time does not leave it out. */
  read(): boolean | { readonly unknown: string };
}

interface Doubt extends Unread {
  readonly resource: RecordResource;
}

interface Sorted {
  readonly found: readonly RecordedEvent[];
  readonly doubts: readonly Doubt[];
}

const secondMs = 1_000;

/**
 * Of things that happened or were asked for: whether there is one that counts, how many there are, or how long ago the
 * last one was. For a number one that may count and cannot be understood, or does not say when, makes the whole unknown.
 * @throws RangeError where `per` cannot be counted in
 */
export function compileEvents(
  terms: EventTerms,
  eventsOf: (context: ExtractionContext) => Iterable<RecordedEvent>,
): FeatureExtractor {
  const { label, pick = 'any' } = terms;
  const summarise = pick === 'time-since' ? compileTimeSince(terms) : undefined;
  const none = compileNone(terms);
  return (context) => {
    const { encounter } = context.record;
    if (terms.during === 'encounter' && encounter === undefined)
      return missing('no-encounter', `${label}: the call names no encounter`);
    if (terms.during === 'encounter' && encounter !== undefined && changesMeaning(encounter)) {
      const sources = [context.record.sourceReference(encounter)];
      return missing('undecodable', `${label}: the encounter carries a modifier that is not known here`, sources);
    }
    const { found, doubts } = sort(context, terms, eventsOf(context));
    const decides = pick === 'any' && found.length > 0;
    const reason = decides ? undefined : firstReason(doubts);
    if (reason !== undefined) {
      const sources = doubts.map(({ resource }) => context.record.sourceReference(resource));
      return missing(reason.because, `${label}: ${reason.detail}`, sources);
    }
    if (found.length === 0) return none(context);
    if (summarise !== undefined) return summarise(context, found);
    const sources = found.map(({ resource }) => context.record.sourceReference(resource));
    const dates = found.map(({ at }) => at);
    const last = pickDate(context, dates, 'latest');
    const at = last === undefined ? {} : { at: last };
    return pick === 'any'
      ? { state: 'observed', value: true, ...at, sources }
      : { state: 'derived', value: found.length, ...at, from: [], sources };
  };
}

function sort(context: ExtractionContext, terms: EventTerms, events: Iterable<RecordedEvent>): Sorted {
  const found: RecordedEvent[] = [];
  const doubts: Doubt[] = [];
  for (const event of events) {
    const place = placeOf(context, terms, event);
    if (place === 'outside') continue;
    const counts = event.read();
    if (counts === false) continue;
    const { resource } = event;
    if (counts !== true) doubts.push({ resource, because: 'undecodable', detail: counts.unknown });
    else if (place === 'inside') found.push(event);
    else doubts.push({ resource, because: 'time-unknown', detail: place.unknown });
  }
  return { found, doubts };
}

/** A version of the record that was written by then shows that it had happened, however vague its time. */
function placeOf(context: ExtractionContext, { window, during }: EventTerms, event: RecordedEvent): Placement {
  const { asOf, record } = context;
  const time = context.rangeOf(event.at);
  if (time !== undefined && time.start > asOf) return 'outside';
  const written = context.rangeOf(event.resource.meta?.lastUpdated);
  const isDated = time !== undefined && !isVagueAt(asOf, time);
  const hadHappened = isDated || (written !== undefined && written.start <= asOf);
  if (during === 'encounter') {
    if (record.encounter === undefined) return 'outside';
    const { encounter, goesOn = false } = event;
    return placeInEncounter(context, record.encounter, { time, encounter, hadHappened, goesOn });
  }
  if (window === undefined)
    return hadHappened ? 'inside' : { unknown: 'one does not say well enough whether it was before as-of' };
  // What goes on at as-of is in every window that ends there, whenever it began.
  if (event.goesOn === true && hadHappened) return 'inside';
  const earliest = context.since(window);
  const latest = time === undefined ? written : time;
  if (latest !== undefined && latest.end <= earliest) return 'outside';
  if (!isDated) return { unknown: 'one does not say well enough when it was' };
  if (time.start >= earliest) return 'inside';
  return time.end - time.start <= secondMs ? 'outside' : { unknown: 'one may lie before the window or in it' };
}

function compileTimeSince({
  label,
  per,
}: EventTerms): (context: ExtractionContext, found: readonly RecordedEvent[]) => FeatureValue {
  const perMs = unitMs(per);
  return (context, found) => {
    const going = found.filter(({ goesOn }) => goesOn === true);
    if (going.length > 0) {
      const { asOf, record } = context;
      const at = new Date(asOf).toISOString();
      return {
        state: 'derived',
        value: 0,
        at,
        from: [],
        sources: going.map(({ resource }) => record.sourceReference(resource)),
      };
    }
    const timeOf = ({ at }: RecordedEvent): number => context.rangeOf(at)?.start ?? Number.POSITIVE_INFINITY;
    const last = found.reduce((one, other) => (timeOf(other) > timeOf(one) ? other : one));
    const sources = found
      .filter((event) => timeOf(event) === timeOf(last))
      .map(({ resource }) => context.record.sourceReference(resource));
    const time = context.rangeOf(last.at);
    const mayBeLater = ({ at }: RecordedEvent): boolean => {
      const range = context.rangeOf(at);
      return range === undefined || (isVague(range) && range.end > timeOf(last));
    };
    if (time === undefined || last.at === undefined || found.some(mayBeLater))
      return missing('time-unknown', `${label}: the last one does not say well enough when it was`, sources);
    const value = (context.asOf - time.start) / perMs;
    if (!isPlainNumber(value)) return unsayable(label, sources);
    return { state: 'derived', value, at: last.at, from: [], sources };
  };
}

function compileNone({ label, window, during, absent }: EventTerms): (context: ExtractionContext) => FeatureValue {
  const where = during === 'encounter' ? 'in the encounter' : 'in the record';
  const within = window === undefined ? where : `within ${durationWords(window)} before as-of`;
  const notFound = missing('not-found', `no ${label} ${within}`);
  if (absent === undefined) return () => notFound;
  const absence = compileAbsence(label, absent.encounterWithin, absent.assume);
  return (context) => absence(context, []);
}
