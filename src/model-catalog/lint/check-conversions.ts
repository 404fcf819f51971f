import { unitConversion } from '../../fhir/ucum.ts';
import type { FeatureMap } from '../feature-map-schema.ts';
import type { Finding } from '../finding.ts';

/** Published factors are rounded; more than this share apart is another factor. */
const rounding = 0.01;

/** Every factor must be a number that a value can be multiplied by, and must not contradict what UCUM itself knows. */
export function checkConversions({ features }: FeatureMap): Finding[] {
  return Object.entries(features).flatMap(([name, definition]) => {
    if (definition.kind !== 'observation' && definition.kind !== 'sequence') return [];
    return (definition.conversions ?? []).flatMap((conversion, index) => {
      const message = wrongFactor(conversion, definition.unit);
      if (message === undefined) return [];
      return [{ file: 'feature-map.json', path: `/features/${name}/conversions/${index}/factor`, message }];
    });
  });
}

function wrongFactor(
  { from, factor, offset }: { readonly from: string; readonly factor: number; readonly offset?: number },
  unit: string,
): string | undefined {
  if (!Number.isFinite(factor) || factor <= 0) {
    return `is ${factor}; a value in ${from} times the factor is one in ${unit}, so it must be a number above 0`;
  }
  const known = unitConversion(from, unit);
  if ('refused' in known) return undefined;
  if (Math.abs(factor / known.factor - 1) <= rounding && Math.abs((offset ?? 0) - known.offset) <= rounding)
    return undefined;
  return `is ${factor}, but UCUM converts ${from} to ${unit} by ${known.factor}; leave the conversion out`;
}
