import type { FeatureMap } from '../feature-map-schema.ts';
import type { GoldenCase } from '../golden-case-schema.ts';
import { contains, populationRange } from '../lint/population-range.ts';

/**
 * Whether the model may speak of a golden case about an outcome.
 * @param tested a feature whose value does not count
 */
export function isInPopulation(
  map: FeatureMap,
  { inputs }: Pick<GoldenCase, 'inputs'>,
  outcome: string,
  tested?: string,
): boolean {
  const holds = ({ outcomes }: { readonly outcomes?: readonly string[] }): boolean =>
    outcomes?.includes(outcome) ?? true;
  return Object.entries(inputs).every(([feature, value]) => {
    if (feature === tested || typeof value === 'object') return true;
    if (typeof value === 'number') return contains(populationRange(map, feature, outcome) ?? everything, value);
    const { exclude, require } = map.population;
    if (typeof value === 'boolean')
      return !exclude.some((rule) => rule.feature === feature && holds(rule) && rule.equals === value);
    return require.every(
      (rule) => rule.feature !== feature || !holds(rule) || !('in' in rule) || rule.in.includes(value),
    );
  });
}

const everything = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, inclusive: true };
