import type { FeatureDefinition } from './feature-map-schema.ts';

/** How the one value is taken from measurements, where the plausible range of these is also that of the value. */
const valuePicks: readonly string[] = ['latest', 'earliest', 'min', 'max', 'mean', 'median'];

/** The smallest and largest plausible value of a feature, inclusive; undefined where none is declared for its value. */
export function plausibleRange(definition: FeatureDefinition | undefined): readonly [number, number] | undefined {
  if (definition === undefined || !('plausible' in definition)) return undefined;
  if ('pick' in definition && !valuePicks.includes(definition.pick)) return undefined;
  return definition.plausible;
}
