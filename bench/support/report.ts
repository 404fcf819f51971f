/** One figure of the bench: always a ratio of two sides measured in turn in one run. */
export interface Figure {
  readonly figure: string;
  readonly ratio: number;
  /** `at least 0.55`, `at most 2`. */
  readonly wanted: string;
  readonly met: boolean;
  /** What the two sides measured, by name. */
  readonly measured: Readonly<Record<string, number>>;
}

export function atLeast(figure: string, ratio: number, limit: number, measured: Figure['measured']): Figure {
  return { figure, ratio: rounded(ratio), wanted: `at least ${limit}`, met: ratio >= limit, measured: all(measured) };
}

export function atMost(figure: string, ratio: number, limit: number, measured: Figure['measured']): Figure {
  return { figure, ratio: rounded(ratio), wanted: `at most ${limit}`, met: ratio <= limit, measured: all(measured) };
}

/** A table for people, then one line of JSON. */
export function report(bench: string, setting: Readonly<Record<string, unknown>>, figures: readonly Figure[]): void {
  console.table(figures.map(({ figure, ratio, wanted, met }) => ({ figure, ratio, wanted, met })));
  process.stdout.write(`${JSON.stringify({ bench, node: process.version, ...setting, figures })}\n`);
}

function all(measured: Figure['measured']): Figure['measured'] {
  return Object.fromEntries(Object.entries(measured).map(([name, value]) => [name, rounded(value)]));
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
