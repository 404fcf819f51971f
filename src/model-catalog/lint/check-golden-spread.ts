import type { Finding } from '../finding.ts';
import type { Outcome } from '../outcome-schema.ts';
import { bandsOf } from '../outcome-score.ts';
import type { LintedModel } from './linted-model.ts';

/** Of numbers without bands: the highest expected one is at least this many times the lowest. */
const leastRatio = 2;

/** Each outcome should have a low and a high golden case: one alone also passes a model that always says the same. */
export function checkGoldenSpread({ manifest, golden }: LintedModel): Finding[] {
  const cases = golden.flatMap(({ content }) => content.cases);
  return manifest.outcomes.flatMap((outcome) => {
    const expected = cases.flatMap(({ expected }) => expected[outcome.id] ?? []);
    // None at all is an error that load reports.
    if (expected.length === 0) return [];
    return lacks(outcome, expected).map((message) => ({ file: 'golden', path: '', message }));
  });
}

function lacks(outcome: Outcome, expected: readonly number[]): string[] {
  const { id, kind } = outcome;
  const [lowest, highest] = [Math.min(...expected), Math.max(...expected)];
  const bands = bandsOf(outcome);
  const [first, last] = [bands[0], bands.at(-1)];
  if (first === undefined || last === undefined) {
    const isSpread = kind === 'class' ? highest > lowest : highest >= leastRatio * lowest && highest > 0;
    if (isSpread) return [];
    return [`hold no low and high case of ${id} (expected ${lowest} to ${highest}); add one of each`];
  }
  const low = lowest < (first.below ?? highest) ? [] : [`hold no low case of ${id}; add one in the band ${first.code}`];
  const high = highest >= last.from ? [] : [`hold no high case of ${id}; add one in the band ${last.code}`];
  return [...low, ...high];
}
