import type { FeatureDefinition } from './feature-map-schema.ts';
import type { MissingPolicy } from './schema-terms.ts';

/** What the columns of a feature hold for a value that is missing on purpose: a constant beside an indicator, or NaN. */
export type MissingInput =
  | { readonly as: 'indicator'; readonly value: number | boolean | string }
  | { readonly as: 'nan' };

/** What the map says of a feature that is missing; undefined where the model abstains whatever the reason. */
export function missingPolicyOf(definition: FeatureDefinition): Exclude<MissingPolicy, 'abstain'> | undefined {
  const policy = 'missing' in definition ? definition.missing : undefined;
  return policy === 'abstain' ? undefined : policy;
}

/** What the model is given where the feature is missing for a reason that its map lists; undefined where it lists none. */
export function missingInput(definition: FeatureDefinition | undefined): MissingInput | undefined {
  const { indicate, nan } = (definition && missingPolicyOf(definition)) ?? {};
  if (indicate !== undefined) return { as: 'indicator', value: indicate.value };
  return nan && { as: 'nan' };
}
