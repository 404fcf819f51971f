import { checked, type Figure, z95 } from './figure.ts';

/** The difference of two estimates of different rows, which are independent. */
export function differenceOf(
  one: { readonly value: number; readonly standardError: number },
  other: { readonly value: number; readonly standardError: number },
  method: 'delong' | 'wald',
): Figure {
  const value = one.value - other.value;
  const half = z95 * Math.hypot(one.standardError, other.standardError);
  return checked({ value, interval: { low: value - half, high: value + half, method } });
}

/** The difference of two proportions of different rows, by the intervals of Wilson (Newcombe 1998, method 10). */
export function differenceOfProportions(one: Figure, other: Figure): Figure {
  if (!('interval' in one)) return { unavailable: reasonOf(one) };
  if (!('interval' in other)) return { unavailable: `of the other rows: ${reasonOf(other)}` };
  const value = one.value - other.value;
  return checked({
    value,
    interval: {
      low: value - Math.hypot(one.value - one.interval.low, other.interval.high - other.value),
      high: value + Math.hypot(one.interval.high - one.value, other.value - other.interval.low),
      method: 'newcombe',
    },
  });
}

/** The name under which a group's distance to the rest stands: that of the figure, but a ratio is divided, not subtracted. */
export function differenceName(figure: string): string {
  return figure === observedExpected ? 'ratio-of-observed-expected-ratios' : figure;
}

const observedExpected = 'observed-expected-ratio';

/** One ratio divided by that of different rows, with the interval of its logarithm: 1 is no difference. */
export function ratioOfRatios(one: Figure, other: Figure): Figure {
  if (!('interval' in one)) return { unavailable: reasonOf(one) };
  if (!('interval' in other)) return { unavailable: `of the other rows: ${reasonOf(other)}` };
  const value = one.value / other.value;
  const spread = Math.exp(
    Math.hypot(...[one, other].map(({ interval }) => Math.log(interval.high / interval.low) / 2)),
  );
  return checked({ value, interval: { low: value / spread, high: value * spread, method: 'log-wald' } });
}

function reasonOf(figure: Figure): string {
  if ('unavailable' in figure) return figure.unavailable;
  return 'noInterval' in figure ? figure.noInterval : 'no interval';
}
