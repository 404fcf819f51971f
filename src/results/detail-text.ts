import type { Outcome } from '../model-catalog/outcome-schema.ts';
import type { ScoreDetail } from '../model-catalog/score-detail.ts';
import { durationText } from './duration.ts';
import { riskText } from './risk-text.ts';

/**
 * What a model says beside a score, as a reader should meet it: the other points of a curve (`2.0 % (20 in 1,000) over 1
 * year; …`), or `probability 83.1 % (831 in 1,000)` of a class. Undefined where the score says all.
 */
export function detailText(outcome: Outcome, detail: ScoreDetail | undefined): string | undefined {
  if (outcome.kind === 'survival') {
    const others = detail?.curve?.filter(({ at }) => at !== outcome.horizon) ?? [];
    return others.map(({ at, risk }) => `${riskText(risk)} over ${durationText(at)}`).join('; ') || undefined;
  }
  return detail?.classProbability === undefined ? undefined : `probability ${riskText(detail.classProbability)}`;
}
