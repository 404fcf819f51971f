import { shapeOfImage } from './check-image.ts';
import type { FeatureDefinition } from './feature-map-schema.ts';
import { plausibleRange } from './plausible-range.ts';
import { unitOf, valueKind, vocabularyOf } from './value-kind.ts';

/** The value a feature has: a number in `unit`, yes or no, a code of a vocabulary, a text, numbers on a grid of time, or an image. */
export type FeatureType =
  | {
      readonly type: 'number';
      readonly unit: string;
      readonly plausible?: readonly [number, number];
      /** Counts and points are whole. */
      readonly isWhole?: true;
    }
  | { readonly type: 'boolean' }
  | { readonly type: 'code'; readonly vocabulary: readonly string[] }
  /** Its scalar is how many characters it has. */
  | { readonly type: 'text'; readonly maxLength: number }
  /** Its scalar is how many of the bins hold a measurement. */
  | {
      readonly type: 'sequence';
      readonly steps: number;
      readonly unit: string;
      readonly plausible: readonly [number, number];
    }
  /** Its scalar is how many frames were read. */
  | { readonly type: 'image'; readonly shape: readonly number[] };

/** What kind of value a feature has, and within which limits. */
export function featureType(definition: FeatureDefinition): FeatureType {
  if (definition.kind === 'sequence') {
    const { steps, unit, plausible } = definition;
    return { type: 'sequence', steps, unit, plausible };
  }
  if (definition.kind === 'text') return { type: 'text', maxLength: definition.maxLength };
  if (definition.kind === 'image') return { type: 'image', shape: shapeOfImage(definition) };
  const kind = valueKind(definition);
  if (kind === 'boolean') return { type: 'boolean' };
  if (kind === 'code') return { type: 'code', vocabulary: vocabularyOf(definition) };
  const unit = unitOf(definition) ?? '1';
  const pick = 'pick' in definition ? definition.pick : undefined;
  if (pick === 'hour') return { type: 'number', unit, plausible: [0, 23], isWhole: true };
  if (pick === 'count' || pick === 'no-shows' || pick === 'nights')
    return { type: 'number', unit, plausible: [0, Number.MAX_SAFE_INTEGER], isWhole: true };
  if (pick === 'time-since' || pick === 'length-of-stay' || pick === 'lead-time')
    return { type: 'number', unit, plausible: [0, Number.MAX_SAFE_INTEGER] };
  const plausible = plausibleRange(definition);
  const whole = 'whole' in definition && definition.whole === true ? { isWhole: true as const } : {};
  return { type: 'number', unit, ...(plausible && { plausible }), ...whole };
}
