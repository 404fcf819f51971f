import type { Extension, Period } from '@medplum/fhirtypes';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { extensionUrls } from './canonical-urls.ts';
import { addDuration, fhirDateTime } from './duration.ts';

/** What a result says of time, but for the instant of its computation: the same for all results of one as-of. */
export interface ResultTimes {
  /** As-of as a FHIR dateTime. */
  readonly asOf: string;
  /** As-of, and until when the result may be shown as current. */
  readonly extensions: readonly [Extension, Extension];
  /** The time that a score is about, by horizon. */
  readonly periods: ReadonlyMap<string, Period>;
}

/** @param timeZone IANA name */
export type TimesOf = (asOf: Date, timeZone: string) => ResultTimes;

/** As-of instants whose times are kept: callers ask again and again about the last few minutes. */
const mostKept = 16;

/** The times of the results of one model version; those of the last instants are made once. */
export function createResultTimes(manifest: Pick<Manifest, 'outcomes' | 'validFor'>): TimesOf {
  const kept = new Map<string, ResultTimes>();
  return (asOf, timeZone) => {
    const key = `${asOf.getTime()} ${timeZone}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const times = makeTimes(manifest, asOf, timeZone);
    if (kept.size === mostKept) kept.clear();
    kept.set(key, times);
    return times;
  };
}

/** How long after as-of its scores are about. */
function timesOf(outcome: Outcome): readonly string[] {
  if (outcome.kind === 'survival') return outcome.times.map(({ at }) => at);
  return outcome.horizon === undefined ? [] : [outcome.horizon];
}

function makeTimes(
  { outcomes, validFor }: Pick<Manifest, 'outcomes' | 'validFor'>,
  asOf: Date,
  timeZone: string,
): ResultTimes {
  const after = (duration: string): string => fhirDateTime(addDuration(asOf, duration, timeZone), timeZone);
  const start = fhirDateTime(asOf, timeZone);
  return {
    asOf: start,
    extensions: [
      { url: extensionUrls.asOf, valueDateTime: start },
      { url: extensionUrls.validUntil, valueDateTime: after(validFor) },
    ],
    periods: new Map(
      outcomes.flatMap((outcome) => timesOf(outcome).map((time) => [time, { start, end: after(time) }])),
    ),
  };
}
