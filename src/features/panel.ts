import { Duration } from 'luxon';
import type { InstantRange } from '../fhir/instant-range.ts';
import type { PanelDefinition } from '../model-catalog/feature-map-schema.ts';
import { localReference } from '../records/local-reference.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { lastInstant } from './last-instant.ts';
import type { Measurement, Measurements } from './measurements.ts';
import { mayBeNewest, newest, perhapsNewer } from './newest.ts';
import { timeUnknown } from './time-unknown.ts';
import { isVague } from './vague-time.ts';

/** A feature of a panel: what can be of it, and what the one that was taken says. Whatever it finds, only it reads. */
export interface PanelMember {
  readonly label: string;
  readonly pick: string;
  find(context: ExtractionContext): Measurements<unknown>;
  agree(context: ExtractionContext, contenders: readonly Measurement<unknown>[]): FeatureValue;
}

/** By feature: what one panel holds of it. */
type PanelContent = ReadonlyMap<string, readonly Measurement<unknown>[]>;
type Found = ReadonlyMap<string, Measurements<unknown>>;

/** What came of looking for a panel: its content, or by feature why there is none. */
type PickedPanel = { readonly content: PanelContent } | { readonly none: (name: string) => FeatureValue };

/**
 * Features whose measurements belong together: all are taken from the newest set that holds one of each. A newer
 * measurement that stands alone is not of a panel and is not taken.
 * @param members by feature name
 */
export function compilePanel(
  panel: PanelDefinition,
  members: ReadonlyMap<string, PanelMember>,
): ReadonlyMap<string, FeatureExtractor> {
  const contentsOf = panel.by === 'time' ? byTime(panel.maxSkew) : bySpecimen;
  const apart = panel.by === 'time' ? `within ${durationWords(panel.maxSkew)} of each other` : 'in one specimen';

  const pick = (context: ExtractionContext): PickedPanel => {
    const found: Found = new Map([...members].map(([name, member]) => [name, dated(context, member.find(context))]));
    const contents = contentsOf(found, context);
    const content = together(newest(contents.map((one) => ({ content: one, time: timeOf(one) }))));
    for (const [name, { untimed, atEdge }] of found) {
      const rivals = [
        ...perhapsNewer(content?.get(name) ?? [], untimed),
        ...(content !== undefined
          ? mayBeNewest(content.get(name) ?? [], atEdge)
          : found.get(name)?.measured.length === 0
            ? atEdge
            : []),
      ];
      const member = members.get(name);
      if (rivals.length > 0 && member !== undefined) return { none: () => timeUnknown(context, member, rivals) };
    }
    if (content !== undefined) return { content };
    return { none: (name) => notTogether(context, members, found, name, apart) };
  };

  return new Map(
    [...members].map(([name, member]) => {
      const extract: FeatureExtractor = (context) => {
        const picked = context.once(panel, () => pick(context));
        return 'none' in picked ? picked.none(name) : member.agree(context, picked.content.get(name) ?? []);
      };
      return [name, extract];
    }),
  );
}

/**
 * For a measurement the set it closes: with the newest of every feature that lies before it and not too far away. Asked
 * from the newest measurement on, until what follows is older than a set that was found.
 */
function byTime(maxSkew: string): (found: Found) => PanelContent[] {
  const skewMs = Duration.fromISO(maxSkew).toMillis();
  return (found) => {
    const lasts = [...found.values()].flatMap(({ measured }) => measured);
    lasts.sort((one, other) => other.time.start - one.time.start);
    const contents: PanelContent[] = [];
    let newestStart = Number.NEGATIVE_INFINITY;
    for (const { time: last } of lasts) {
      if (last.end <= newestStart) break;
      const content = complete(found, ({ time }) => time.start <= last.start && gapMs(time, last) <= skewMs);
      if (content === undefined) continue;
      contents.push(content);
      newestStart = Math.max(newestStart, last.start);
    }
    return contents;
  };
}

function bySpecimen(found: Found, { record }: ExtractionContext): PanelContent[] {
  const specimenOf = ({ observation }: Measurement<unknown>): string | undefined =>
    localReference(observation.specimen?.reference, record.subject)?.id;
  const specimens = new Set(
    [...found.values()].flatMap(({ measured }) => measured.flatMap((measurement) => specimenOf(measurement) ?? [])),
  );
  return [...specimens].flatMap(
    (specimen) => complete(found, (measurement) => specimenOf(measurement) === specimen) ?? [],
  );
}

/** What is known to the month or the year only cannot be put beside anything: it has no usable time here. */
function dated({ asOf }: ExtractionContext, found: Measurements<unknown>): Measurements<unknown> {
  const vague = found.measured.filter(({ time }) => isVague(time));
  if (vague.length === 0) return found;
  const untimed = vague.map(({ observation, time }) => ({ observation, latest: Math.min(time.end - 1, asOf) }));
  return {
    ...found,
    measured: found.measured.filter(({ time }) => !isVague(time)),
    untimed: [...found.untimed, ...untimed],
  };
}

/** The newest measurements of each feature among those that fit; undefined where a feature has none. */
function complete(found: Found, fits: (measurement: Measurement<unknown>) => boolean): PanelContent | undefined {
  const content = new Map<string, readonly Measurement<unknown>[]>();
  for (const [name, { measured }] of found) {
    const fitting = newest(measured.filter(fits));
    if (fitting.length === 0) return undefined;
    content.set(name, fitting);
  }
  return content;
}

/** Which of several equally new sets counts cannot be told: all of them, whose values must agree. */
function together(sets: readonly { readonly content: PanelContent }[]): PanelContent | undefined {
  const [first, ...others] = sets;
  if (first === undefined) return undefined;
  const joined = new Map([...first.content].map(([name, some]) => [name, new Set(some)]));
  for (const { content } of others)
    for (const [name, some] of content) for (const one of some) joined.get(name)?.add(one);
  return new Map([...joined].map(([name, some]) => [name, [...some]]));
}

/** A panel is as new as its newest measurement. */
function timeOf(content: PanelContent): InstantRange {
  return [...content.values()]
    .flat()
    .map(({ time }) => time)
    .reduce((last, time) => (time.start > last.start ? time : last));
}

function notTogether(
  { record }: ExtractionContext,
  members: ReadonlyMap<string, PanelMember>,
  found: Found,
  name: string,
  apart: string,
): FeatureValue {
  const label = members.get(name)?.label;
  const own = newest(found.get(name)?.measured ?? []);
  if (own.length === 0) return missing('not-found', `no ${label} in the window`);
  const others = [...members].flatMap(([other, member]) => (other === name ? [] : [member.label]));
  return missing(
    'not-together',
    `no ${label} was measured with ${others.join(', ')} ${apart}`,
    own.map(({ observation }) => record.sourceReference(observation)),
  );
}

/** How far two times lie apart at least: a date without a time is as near as its day. */
function gapMs(one: InstantRange, other: InstantRange): number {
  return Math.max(0, one.start - lastInstant(other), other.start - lastInstant(one));
}
