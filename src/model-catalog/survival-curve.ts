import type { SurvivalOutcome } from './outcome-schema.ts';

/** One point of a survival curve. */
export interface CurvePoint {
  /** ISO 8601 duration from as-of. */
  readonly at: string;
  /** Probability that the event happens until then: 1 - S(t), or the cumulative incidence. */
  readonly risk: number;
}

/**
 * The curve that a row of the outputs gives, earliest point first. A text on why it is none, as it follows "is": a point
 * that is no probability, or a risk that falls with time, which no event can have. Nothing is sorted or smoothed.
 */
export function survivalCurve(
  { times, columns }: SurvivalOutcome,
  row: readonly number[],
): readonly CurvePoint[] | string {
  const curve: CurvePoint[] = [];
  let before = 0;
  for (const { at, column } of times) {
    const value = row[column] ?? Number.NaN;
    if (!(value >= 0 && value <= 1)) return `not a probability from 0 to 1 at ${at}`;
    const risk = columns === 'survival' ? 1 - value : value;
    if (risk < before) return `no curve of an event: the risk falls at ${at}`;
    curve.push({ at, risk });
    before = risk;
  }
  return curve;
}

/** Names a point of the curve: the outcome itself at its horizon, else with its time. */
export function pointId({ id, horizon }: SurvivalOutcome, at: string): string {
  return at === horizon ? id : `${id}-${at.toLowerCase()}`;
}
