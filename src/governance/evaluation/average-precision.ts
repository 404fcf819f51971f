import { oneKindOnly, type RankedScores } from './labelled-scores.ts';

/**
 * Average precision: the precision at each score that occurs, weighted by the recall that it adds. No line is drawn between
 * the points, which would flatter (Davis and Goadrich 2006). Undefined where there are no events.
 * @param counts how often each row is counted, in the order of the ranking; absent: once
 */
export function averagePrecision(
  { cuts, events }: Pick<RankedScores, 'cuts' | 'events'>,
  counts?: Uint32Array,
): number | undefined {
  let [hits, rows, sum, position] = [0, 0, 0, 0];
  for (const { end } of cuts) {
    const before = hits;
    for (; position < end; position += 1) {
      const times = counts === undefined ? 1 : (counts[position] ?? 0);
      rows += times;
      hits += times * (events[position] ?? 0);
    }
    if (hits > before) sum += ((hits - before) * hits) / rows;
  }
  return hits === 0 ? undefined : sum / hits;
}

/** Why there is no average precision. */
export function noPrecision(ranked: RankedScores): string {
  return oneKindOnly(ranked) ?? 'no row has an event';
}
