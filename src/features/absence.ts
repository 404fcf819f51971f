import { durationWords } from './duration-words.ts';
import { type ExtractionContext, missing } from './feature-extractor.ts';
import type { FeatureValue, SourceReference } from './feature-vector.ts';

/** A candidate that may or may not be what is looked for. */
export interface Undecodable {
  readonly source: SourceReference;
  readonly why: string;
}

/** Reads that nothing was found, for one feature. */
export type AbsenceReader = (context: ExtractionContext, undecodable: readonly Undecodable[]) => FeatureValue;

/**
 * Nothing was found: is that a no, or a zero? Only where the search was complete (the record says so by existing), every
 * candidate was understood, and the record shows an encounter within `encounterWithin` before as-of.
 */
export function compileAbsence(label: string, encounterWithin: string, value: false | 0 = false): AbsenceReader {
  const within = durationWords(encounterWithin);
  const unproven = `no ${label} found, and no encounter within ${within} before as-of shows that the record is kept`;
  const detail = `no ${label} in the complete record; last encounter within ${within}`;
  return (context, undecodable) => {
    const [first] = undecodable.map(({ why }) => why).sort();
    if (first !== undefined) {
      return missing(
        'undecodable',
        `${label}: ${first}`,
        undecodable.map(({ source }) => source),
      );
    }
    const latest = context.lastAttended();
    if (latest === undefined || latest.time < context.since(encounterWithin)) {
      return missing('no-recent-encounter', unproven);
    }
    const { encounter, at } = latest;
    const sources = [context.record.sourceReference(encounter)];
    return at === undefined
      ? { state: 'assumed-absent', value, detail, sources }
      : { state: 'assumed-absent', value, detail, at, sources };
  };
}
