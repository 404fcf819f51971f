import type { InstantRange } from '../fhir/instant-range.ts';
import type { ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVague } from './vague-time.ts';

type Anchor = ObservationDefinition['anchor'];

/** Where the window of an observation ends: at as-of, at another instant, or at none that is known, and why. */
export function anchorOf(
  context: ExtractionContext,
  { label, anchor }: Pick<ObservationDefinition, 'label' | 'anchor'>,
): 'as-of' | InstantRange | { readonly unknown: FeatureValue } {
  if (anchor === undefined || anchor === 'as-of') return 'as-of';
  const { record, asOf } = context;
  const { encounter } = record;
  if (encounter === undefined) return { unknown: missing('no-encounter', `${label}: the call names no encounter`) };
  const sources = [record.sourceReference(encounter)];
  if (changesMeaning(encounter)) {
    const detail = `${label}: the encounter carries a modifier that is not known here`;
    return { unknown: missing('undecodable', detail, sources) };
  }
  const which = anchor === 'encounter-start' ? encounter.period?.start : encounter.period?.end;
  const range = context.rangeOf(which);
  const goesOn = range === undefined ? encounter.status !== 'finished' : range.start > asOf;
  if (anchor === 'encounter-end' && goesOn) return 'as-of';
  if (range === undefined || isVague(range) || range.start > asOf) {
    const detail = `${label}: the encounter does not say well enough when it ${anchor === 'encounter-start' ? 'began' : 'ended'}`;
    return { unknown: missing('time-unknown', detail, sources) };
  }
  return { start: range.start, end: Math.min(range.end, asOf + 1) };
}

/** A feature whose window ends at an encounter is missing where the call names none, or one that does not say when it was. */
export function withAnchor(definition: ObservationDefinition, extract: FeatureExtractor): FeatureExtractor {
  if (definition.anchor === undefined || definition.anchor === 'as-of') return extract;
  return (context) => {
    const anchor = anchorOf(context, definition);
    return typeof anchor === 'object' && 'unknown' in anchor ? anchor.unknown : extract(context);
  };
}

const anchorWords: Readonly<Record<NonNullable<Anchor>, string>> = {
  'as-of': 'as-of',
  'encounter-start': 'the beginning of the encounter',
  'encounter-end': 'the end of the encounter',
};

/** `2 years before as-of` */
export function windowWords({ window, anchor = 'as-of' }: Pick<ObservationDefinition, 'window' | 'anchor'>): string {
  return `${durationWords(window)} before ${anchorWords[anchor]}`;
}
