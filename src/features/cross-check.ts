import type { FeatureMap } from '../model-catalog/feature-map-schema.ts';
import type { FeatureValue } from './feature-vector.ts';
import { sameNumber } from './same-number.ts';

type CrossCheck = NonNullable<FeatureMap['population']['crossChecks']>[number];

/**
 * Why two features that say the same thing contradict each other; undefined where they agree, or where one of them is not
 * known: what is missing or imputed says nothing about the other.
 */
export function disagreement(
  { features: [name, other], within: { relative }, message }: CrossCheck,
  features: ReadonlyMap<string, FeatureValue>,
): { readonly reason: string; readonly feature: string; readonly message: string } | undefined {
  const [value, measure] = [numberOf(features.get(name)), numberOf(features.get(other))];
  if (value === undefined || measure === undefined) return undefined;
  const [difference, most] = [Math.abs(value - measure), relative * Math.abs(measure)];
  if (difference <= most || sameNumber(difference, most)) return undefined;
  return {
    reason: `${name}:cross-check`,
    feature: name,
    message: `${message} (${name} ${shown(value)}, ${other} ${shown(measure)}: more than ${shown(100 * relative)} % apart)`,
  };
}

function numberOf(value: FeatureValue | undefined): number | undefined {
  if (value === undefined || value.state === 'missing' || value.state === 'imputed') return undefined;
  return typeof value.value === 'number' ? value.value : undefined;
}

function shown(value: number): number {
  return Number(value.toPrecision(6));
}
