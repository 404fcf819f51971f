import type { Band, Outcome } from '../model-catalog/manifest-schema.ts';
import { PredictionError } from '../platform/errors.ts';

/**
 * The published band that holds an unrounded probability (0..1), or undefined where none is published.
 * Throws RESULT_INVALID where bands are declared and none holds it: a risk without its band would read as one that
 * has none.
 */
export function riskBand(outcome: Outcome, probability: number): Band | undefined {
  const levels = outcome.bands?.levels;
  if (levels === undefined) return undefined;
  const band = bandAt(levels, probability);
  if (band === undefined) {
    throw new PredictionError(
      'RESULT_INVALID',
      `No band of outcome ${outcome.id} holds the probability; the bands of the manifest must cover 0 to 1 without a gap.`,
    );
  }
  return band;
}

/** `from` is inclusive, `below` exclusive; the highest band includes 1. */
export function bandAt(levels: readonly Band[], probability: number): Band | undefined {
  return levels.find(({ from, below }) => probability >= from && (below === undefined || probability < below));
}
