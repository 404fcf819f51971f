import type { FeatureMap } from '../feature-map-schema.ts';
import type { Finding } from '../finding.ts';
import { plausibleRange } from '../plausible-range.ts';

/** The plausible range of a feature must contain what the population lets through: the rest of it could never be scored. */
export function checkPopulationRanges({ features, population }: FeatureMap): Finding[] {
  const required = population.require.map((rule, index) => ({ rule, path: `/population/require/${index}` }));
  const ranges = population.ranges.map((rule, index) => ({ rule, path: `/population/ranges/${index}` }));
  return [...required, ...ranges].flatMap(({ rule, path }) => {
    const plausible = Object.hasOwn(features, rule.feature) ? plausibleRange(features[rule.feature]) : undefined;
    if (plausible === undefined || !('from' in rule)) return [];
    const to = rule.to ?? ('below' in rule ? rule.below : undefined) ?? rule.from;
    if (rule.from >= plausible[0] && to <= plausible[1]) return [];
    const message = `reaches from ${rule.from} to ${to}, but ${rule.feature} is plausible from ${plausible[0]} to ${plausible[1]} only; change one of the two`;
    return [{ file: 'feature-map.json', path, message }];
  });
}
