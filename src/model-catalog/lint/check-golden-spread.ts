import type { Finding } from '../finding.ts';
import type { Outcome } from '../manifest-schema.ts';
import type { LintedModel } from './linted-model.ts';

/** Without bands: the highest expected probability is at least this many times the lowest. */
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

function lacks({ id, bands }: Outcome, expected: readonly number[]): string[] {
  const [lowest, highest] = [Math.min(...expected), Math.max(...expected)];
  const [first, last] = [bands?.levels[0], bands?.levels.at(-1)];
  if (first === undefined || last === undefined) {
    if (highest >= leastRatio * lowest && highest > 0) return [];
    return [`hold no low and high case of ${id} (expected ${lowest} to ${highest}); add one of each`];
  }
  const low = lowest < (first.below ?? 1) ? [] : [`hold no low case of ${id}; add one in the band ${first.code}`];
  const high = highest >= last.from ? [] : [`hold no high case of ${id}; add one in the band ${last.code}`];
  return [...low, ...high];
}
