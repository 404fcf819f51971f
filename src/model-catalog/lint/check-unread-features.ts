import type { Expression, FeatureDefinition } from '../feature-map-schema.ts';
import { decidingOf } from '../feature-reads.ts';
import type { Finding } from '../finding.ts';
import { inputColumns } from '../model-tensors.ts';
import type { LintedModel } from './linted-model.ts';

/**
 * Every feature must be read by something: one that is not costs queries and discloses data for nothing. A text may be there
 * for the training matrix alone: see `checkTexts`.
 */
export function checkUnreadFeatures({ manifest, featureMap }: LintedModel): Finding[] {
  const { features, population } = featureMap;
  const read = new Set([
    ...inputColumns(manifest).map(({ feature }) => feature),
    ...[...population.exclude, ...population.require, ...population.ranges].map(({ feature }) => feature),
    ...(population.crossChecks ?? []).flatMap(({ features }) => features),
    ...Object.values(features).flatMap(readsOf),
    ...Object.values(features).flatMap(decidingOf),
  ]);
  return Object.entries(features)
    .filter(([name, { kind }]) => kind !== 'text' && !read.has(name))
    .map(([name]) => ({
      file: 'feature-map.json',
      path: `/features/${name}`,
      message: 'is read by no input column, no other feature and no rule of the population; use it or remove it',
    }));
}

function readsOf(definition: FeatureDefinition): readonly string[] {
  switch (definition.kind) {
    case 'derived':
      return namesIn(definition.expression);
    case 'first-of':
      return definition.of;
    default:
      return [];
  }
}

/** Also of an expression that does not compile, which is a finding of its own. */
function namesIn(expression: Expression): string[] {
  if (typeof expression === 'string') return [expression];
  if (typeof expression === 'number') return [];
  return expression.slice(1).flatMap(namesIn);
}
