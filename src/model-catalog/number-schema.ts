import type { JsonSchema } from './published-schemas.ts';

/** Inclusive limits; absent: none. */
export interface NumberRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** What a result can write as plain digits: 0, and sizes from 0.000001 up to, but not including, 1e21. */
const smallest = 1e-6;
const huge = 1e21;

/**
 * The JSON Schema of the numbers that lie in a range once they are converted, and that a result can write in plain digits.
 * @param conversion value in the unit of the range = factor · number + offset
 */
export function numbersWithin(
  { from, to }: NumberRange,
  conversion: { readonly factor: number; readonly offset: number } = { factor: 1, offset: 0 },
): JsonSchema {
  const pieces: JsonSchema[] = [];
  const piece = (low: Limit, high: Limit) => pieces.push(between(low, high, conversion));
  const [lowest, highest] = [from ?? -huge, to ?? huge];
  if (lowest <= -smallest) {
    const high = { at: Math.min(highest, -smallest) };
    piece(from === undefined ? { at: -huge, excluded: true } : { at: lowest }, high);
  }
  if (lowest <= 0 && highest >= 0) piece({ at: 0 }, { at: 0 });
  if (highest >= smallest) {
    const low = { at: Math.max(lowest, smallest) };
    piece(low, to === undefined ? { at: huge, excluded: true } : { at: highest });
  }
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : { anyOf: pieces };
}

/** The same for whole numbers, which are never tiny. */
export function wholeNumbersWithin({ from, to }: NumberRange): JsonSchema {
  return {
    type: 'integer',
    ...(from === undefined ? { exclusiveMinimum: -huge } : { minimum: from }),
    ...(to === undefined ? { exclusiveMaximum: huge } : { maximum: to }),
  };
}

interface Limit {
  readonly at: number;
  readonly excluded?: true;
}

function between(low: Limit, high: Limit, { factor, offset }: { factor: number; offset: number }): JsonSchema {
  const before = ({ at, excluded }: Limit): Limit => ({
    // Not a zero that is less than zero, which JSON cannot say.
    at: (at - offset) / factor + 0,
    ...(excluded && { excluded }),
  });
  const [first, last] = factor > 0 ? [before(low), before(high)] : [before(high), before(low)];
  if (first.at === last.at) return { type: 'number', const: first.at };
  return {
    type: 'number',
    [first.excluded ? 'exclusiveMinimum' : 'minimum']: first.at,
    [last.excluded ? 'exclusiveMaximum' : 'maximum']: last.at,
  };
}
