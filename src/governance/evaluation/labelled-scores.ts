/** Scores and what happened, row by row: all that is kept of a row for its figures. */
export interface LabelledScores {
  readonly scores: Float64Array;
  /** 1 where it happened. */
  readonly events: Uint8Array;
}

/** Rows in the order of their scores, the highest first. */
export interface RankedScores extends LabelledScores {
  readonly eventCount: number;
  readonly otherCount: number;
  /** One for each score that occurs, the highest first. */
  readonly cuts: readonly Cut[];
}

/** What an alert at or above a score would have found. */
export interface Cut {
  readonly score: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  /** Rows before this position have this score or a higher one. */
  readonly end: number;
}

/** Sorts rows once for all that is read off their order. */
export function rankScores({ scores, events }: LabelledScores): RankedScores {
  const order = Uint32Array.from(scores, (_, index) => index).sort(
    (one, other) => (scores[other] ?? 0) - (scores[one] ?? 0) || one - other,
  );
  const sorted = Float64Array.from(order, (index) => scores[index] ?? Number.NaN);
  const happened = Uint8Array.from(order, (index) => events[index] ?? 0);
  const cuts: Cut[] = [];
  let truePositives = 0;
  for (let position = 0; position < sorted.length; position += 1) {
    truePositives += happened[position] ?? 0;
    const score = sorted[position] ?? Number.NaN;
    if (position + 1 < sorted.length && sorted[position + 1] === score) continue;
    const end = position + 1;
    cuts.push({ score, truePositives, falsePositives: end - truePositives, end });
  }
  return {
    scores: sorted,
    events: happened,
    eventCount: truePositives,
    otherCount: sorted.length - truePositives,
    cuts,
  };
}

/** The alerts at or above a threshold, which need not be a score that occurs. */
export function cutAt(cuts: readonly Cut[], threshold: number): Omit<Cut, 'score'> {
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cuts[middle]?.score ?? Number.NEGATIVE_INFINITY) >= threshold) low = middle + 1;
    else high = middle;
  }
  return cuts[low - 1] ?? { truePositives: 0, falsePositives: 0, end: 0 };
}

/** Why there is nothing to tell apart; undefined where there are both. */
export function oneKindOnly({
  eventCount,
  otherCount,
}: Pick<RankedScores, 'eventCount' | 'otherCount'>): string | undefined {
  if (eventCount + otherCount === 0) return 'no row has a score and a label';
  if (eventCount === 0) return 'no row has an event';
  return otherCount === 0 ? 'every row has an event' : undefined;
}
