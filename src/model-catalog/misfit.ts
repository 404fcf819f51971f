import type { FeatureDefinition } from './feature-map-schema.ts';
import { valueKind, vocabularyOf } from './value-kind.ts';

/** Why a value cannot fill a column; undefined where it can. */
export function misfit(
  value: number | boolean | string,
  definition: FeatureDefinition,
  encode: Readonly<Record<string, number>> | undefined,
): string | undefined {
  const kind = valueKind(definition);
  if (kind === 'image') return 'stands for an image, which no number or text does';
  const wanted = kind === 'code' || kind === 'text' ? 'string' : kind;
  if (typeof value !== wanted) return `is a ${typeof value}, but the feature is a ${kind}`;
  if (kind !== 'code') return undefined;
  const taken = encode === undefined ? vocabularyOf(definition) : Object.keys(encode);
  return taken.includes(String(value)) ? undefined : `is ${value}, which the column does not encode`;
}
