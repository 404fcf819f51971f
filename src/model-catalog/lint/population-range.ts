import type { FeatureMap } from '../feature-map-schema.ts';

/** Numbers from a first to a last one. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
  /** Whether `to` itself belongs to it. */
  readonly inclusive: boolean;
}

/** The values of a number that the population of one outcome lets through; undefined where no rule limits them. */
export function populationRange({ population }: FeatureMap, feature: string, outcome: string): NumberRange | undefined {
  const rules = [...population.require, ...population.ranges].flatMap((rule): NumberRange[] => {
    if (rule.feature !== feature || !('from' in rule)) return [];
    if (rule.outcomes !== undefined && !rule.outcomes.includes(outcome)) return [];
    if (rule.to !== undefined) return [{ from: rule.from, to: rule.to, inclusive: true }];
    const below = 'below' in rule ? rule.below : undefined;
    return below === undefined ? [] : [{ from: rule.from, to: below, inclusive: false }];
  });
  return rules.reduce<NumberRange | undefined>((all, rule) => {
    if (all === undefined) return rule;
    const narrower = rule.to < all.to || (rule.to === all.to && !rule.inclusive) ? rule : all;
    return { from: Math.max(all.from, rule.from), to: narrower.to, inclusive: narrower.inclusive };
  }, undefined);
}

export function contains({ from, to, inclusive }: NumberRange, value: number): boolean {
  return value >= from && (inclusive ? value <= to : value < to);
}
