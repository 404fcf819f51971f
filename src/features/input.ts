import type { InputDefinition } from '../model-catalog/feature-map-schema.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';

/** A judgement that only the caller can give: what is asserted takes its place before this is asked. */
export function compileInput({ label, ask }: InputDefinition): FeatureExtractor {
  const notAsserted = missing('not-asserted', `${label} is for the caller to say: ${ask}`);
  return () => notAsserted;
}
