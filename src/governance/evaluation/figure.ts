/** How an interval was made. */
export type IntervalMethod = 'delong' | 'wilson' | 'wald' | 'log-wald' | 'newcombe' | 'bootstrap';

/** Of 95 %. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly method: IntervalMethod;
}

/**
 * One figure of a report: a finite number, and its interval or why there is none; or why there is no number. Never NaN,
 * and never a number that stands for "not known".
 */
export type Figure =
  | { readonly value: number; readonly interval: Interval }
  | { readonly value: number; readonly noInterval: string }
  | { readonly unavailable: string };

/** The standard normal deviate that 2.5 % lie above. */
export const z95 = 1.959963984540054;

/** A figure whose interval reaches as far to both sides, cut to the values that it can have. */
export function aroundValue(
  value: number,
  standardError: number,
  method: IntervalMethod,
  [least, most]: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): Figure {
  const interval = {
    low: Math.max(least, value - z95 * standardError),
    high: Math.min(most, value + z95 * standardError),
    method,
  };
  return checked({ value, interval });
}

/** Throws RangeError for a number that is not finite: whoever computes it has to say why there is none. */
export function checked(figure: Figure): Figure {
  if ('unavailable' in figure) return figure;
  const numbers = 'interval' in figure ? [figure.value, figure.interval.low, figure.interval.high] : [figure.value];
  if (!numbers.every(Number.isFinite)) throw new RangeError(`a figure is not finite: ${JSON.stringify(figure)}`);
  return figure;
}
