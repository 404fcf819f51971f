import type { GoldenCase } from '../golden-case-schema.ts';
import type { Manifest } from '../manifest-schema.ts';
import type { Outcome } from '../outcome-schema.ts';
import { bandsOf } from '../outcome-score.ts';
import type { Checked } from './registration.ts';

/** Of numbers without bands: the highest expected one is at least this many times the lowest. */
const leastRatio = 2;

/** That each probability has a low and a high golden case. */
export function checkGoldenSpread({ outcomes }: Manifest, cases: readonly GoldenCase[]): Checked {
  const probabilities = outcomes.filter(({ kind }) => kind === 'probability' || kind === 'finding');
  return {
    tested: 'probabilities with a low and a high golden case',
    count: probabilities.length,
    findings: probabilities.flatMap((outcome) =>
      lackingSpread(outcome, cases).map((message) => ({ file: 'golden', path: '', message })),
    ),
  };
}

/** What golden cases lack of an outcome: a low and a high one. One alone also passes a model that always says the same. */
export function lackingSpread(outcome: Outcome, cases: readonly Pick<GoldenCase, 'expected'>[]): string[] {
  const expected = cases.flatMap(({ expected }) => expected[outcome.id] ?? []);
  // None at all is another fault.
  if (expected.length === 0) return [];
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
