import type { InstantRange } from '../fhir/instant-range.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import { type MissingReason, missingReasons } from './feature-vector.ts';

// Of several equally good ones the choice must rest on what they say, never on the order they stand in.

/** Why one of several cannot be read. */
export interface Unread {
  readonly because: MissingReason;
  readonly detail: string;
}

/** The first of several reasons, in the order of the list of reasons. */
export function firstReason(reasons: readonly Unread[]): Unread | undefined {
  if (reasons.length < 2) return reasons[0];
  const rank = ({ because }: Unread): number => missingReasons.indexOf(because);
  return [...reasons].sort((one, other) => rank(one) - rank(other) || compareTexts(one.detail, other.detail))[0];
}

/** The date that begins first, or last; of equal ones the first as a text. A date that cannot be read comes last. */
export function pickDate(
  { rangeOf }: Pick<ExtractionContext, 'rangeOf'>,
  dates: readonly (string | undefined)[],
  which: 'earliest' | 'latest',
): string | undefined {
  if (dates.length === 1) return dates[0];
  const sign = which === 'earliest' ? 1 : -1;
  const known = dates.filter((date) => date !== undefined);
  const key = (date: string): number => sign * (rangeOf(date)?.start ?? sign * Number.POSITIVE_INFINITY);
  return known.sort((one, other) => compareNumbers(key(one), key(other)) || compareTexts(one, other))[0];
}

/** Of what is given with several times, the one whose time says most; of equal ones the earliest, then the first as a text. */
export function mostExact<T extends { readonly time: InstantRange; readonly at: string }>(
  given: readonly T[],
): T | undefined {
  if (given.length < 2) return given[0];
  const lengthOf = ({ time }: T): number => time.end - time.start;
  return [...given].sort(
    (one, other) =>
      lengthOf(one) - lengthOf(other) || one.time.start - other.time.start || compareTexts(one.at, other.at),
  )[0];
}

export function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function compareNumbers(one: number, other: number): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
