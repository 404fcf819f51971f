import type { LabelledScores } from './labelled-scores.ts';

/** How far probabilities lie from what happened. */
export interface ProbabilityLoss {
  /** Mean squared difference (Brier 1950): 0 is perfect. */
  readonly brier: number;
  /** 1 less the Brier score over that of the prevalence for everybody; undefined where all or none had an event. */
  readonly scaledBrier: number | undefined;
  /** Mean of -ln of the probability that was given to what happened; infinite where that was 0. */
  readonly logLoss: number;
}

/** @param counts how often each row is counted; absent: once. Undefined without rows. */
export function probabilityLoss({ scores, events }: LabelledScores, counts?: Uint32Array): ProbabilityLoss | undefined {
  let [rows, happened, squares, logs] = [0, 0, 0, 0];
  for (let row = 0; row < scores.length; row += 1) {
    const times = counts === undefined ? 1 : (counts[row] ?? 0);
    if (times === 0) continue;
    const score = scores[row] ?? Number.NaN;
    const event = events[row] ?? 0;
    rows += times;
    happened += times * event;
    squares += times * (score - event) ** 2;
    logs -= times * (event === 1 ? Math.log(score) : Math.log1p(-score));
  }
  if (rows === 0) return undefined;
  const brier = squares / rows;
  const ofPrevalence = (happened / rows) * (1 - happened / rows);
  return { brier, scaledBrier: ofPrevalence === 0 ? undefined : 1 - brier / ofPrevalence, logLoss: logs / rows };
}
