import { compileExpression } from './expression.ts';
import type { FeatureDefinition } from './feature-map-schema.ts';
import { missingPolicyOf } from './missing-input.ts';

/** Names of the features that a feature is made of, and of those that decide what is imputed for it. */
export function readsOf(definition: FeatureDefinition): readonly string[] {
  return [...madeOf(definition), ...decidingOf(definition)];
}

/** The features that decide what is imputed for a feature, and are no part of its value. */
export function decidingOf(definition: FeatureDefinition): readonly string[] {
  return (missingPolicyOf(definition)?.impute ?? []).flatMap(({ when }) => (when ? [when.feature] : []));
}

/** Names of the features that the value of a feature is made of. */
export function madeOf(definition: FeatureDefinition): readonly string[] {
  if (definition.kind === 'first-of') return definition.of;
  if (definition.kind !== 'derived') return [];
  try {
    return compileExpression(definition.expression).reads;
  } catch (error) {
    // Reported by checkFeatureMap.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
