import type { Explanation } from './contribution.ts';

/**
 * The contributions that may be told: none of a sensitive feature, and, where there is one, neither what the others start from
 * nor what they miss, from which the sum of those that are not told could be worked out.
 * @param sensitive names of features
 */
export function shownExplanation<None extends object>(
  explanation: Explanation | None,
  sensitive: ReadonlySet<string>,
): Explanation | None {
  if (sensitive.size === 0 || !('contributions' in explanation)) return explanation;
  return {
    ...explanation,
    contributions: explanation.contributions.filter(({ feature }) => !sensitive.has(feature)),
    bases: explanation.bases.map(({ outcome, scale }) => ({ outcome, scale })),
  };
}
