import type { Encounter } from '@medplum/fhirtypes';
import { instantRange } from '../fhir/instant-range.ts';
import { before } from '../model-catalog/record-queries.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, missing } from './feature-extractor.ts';
import type { FeatureValue, SourceReference } from './feature-vector.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** A candidate that may or may not be what is looked for. */
export interface Undecodable {
  readonly source: SourceReference;
  readonly why: string;
}

const attended: readonly string[] = ['arrived', 'triaged', 'in-progress', 'onleave', 'finished'];

/**
 * Nothing was found: is that a no? Only where the search was complete (the record says so by existing), every
 * candidate was understood, and the record shows an encounter within `encounterWithin` before as-of.
 */
export function assumeAbsent(
  context: ExtractionContext,
  label: string,
  encounterWithin: string,
  undecodable: readonly Undecodable[],
): FeatureValue {
  const [first] = undecodable;
  if (first !== undefined) {
    return missing(
      'undecodable',
      `${label}: ${first.why}`,
      undecodable.map(({ source }) => source),
    );
  }
  const encounter = latestEncounter(context, before(new Date(context.asOf), encounterWithin).getTime());
  if (encounter === undefined) {
    return missing(
      'no-recent-encounter',
      `no ${label} found, and no encounter within ${durationWords(encounterWithin)} before as-of shows that the record is kept`,
    );
  }
  const at = encounter.period?.end ?? encounter.period?.start;
  return {
    state: 'assumed-absent',
    value: false,
    detail: `no ${label} in the complete record; last encounter within ${durationWords(encounterWithin)}`,
    ...(at === undefined ? {} : { at }),
    sources: [context.record.sourceReference(encounter)],
  };
}

function latestEncounter(context: ExtractionContext, earliest: number): Encounter | undefined {
  let latest: { encounter: Encounter; time: number } | undefined;
  for (const encounter of context.record.byType('Encounter')) {
    if (!attended.includes(encounter.status) || changesMeaning(encounter)) continue;
    const start =
      encounter.period?.start === undefined ? undefined : instantRange(encounter.period.start, context.timeZone);
    if (start === undefined || start.start > context.asOf) continue;
    const end = encounter.period?.end === undefined ? start : instantRange(encounter.period.end, context.timeZone);
    // An encounter that goes on at as-of was last seen at as-of.
    const time = Math.min(end?.start ?? start.start, context.asOf);
    if (time < earliest) continue;
    if (
      latest === undefined ||
      time > latest.time ||
      (time === latest.time && (encounter.id ?? '') < (latest.encounter.id ?? ''))
    ) {
      latest = { encounter, time };
    }
  }
  return latest?.encounter;
}
