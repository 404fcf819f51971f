import type { FeatureMap } from '../feature-map-schema.ts';
import type { Finding } from '../finding.ts';
import { missingPolicyOf } from '../missing-input.ts';

/** Reasons that say that there is nothing where all was searched; every other one is a doubt about what there is. */
export const absenceReasons: readonly string[] = [
  'not-found',
  'no-recent-encounter',
  'no-encounter',
  'too-few',
  'not-together',
  'not-in-table',
  'not-asserted',
];

/** A model trained on what was never measured knows nothing of a value whose unit or truth is in doubt. */
export function checkMissingReasons({ features }: FeatureMap): Finding[] {
  return Object.entries(features).flatMap(([name, definition]) => {
    const { impute = [], indicate, nan } = missingPolicyOf(definition) ?? {};
    const listed = [...impute, ...(indicate ? [indicate] : []), ...(nan ? [nan] : [])].flatMap(
      ({ because }) => because,
    );
    const doubts = [...new Set(listed)].filter((reason) => !absenceReasons.includes(reason));
    if (doubts.length === 0) return [];
    const message = `takes ${doubts.join(', ')} for an absence, but then there is a value that cannot be used: abstain, unless the training did the same`;
    return [{ file: 'feature-map.json', path: `/features/${name}/missing`, message }];
  });
}
