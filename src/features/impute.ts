import type { FeatureDefinition } from '../model-catalog/feature-map-schema.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import { type MissingReason, toMissingReason } from './feature-vector.ts';

/**
 * A feature whose map says what stands for it where it is missing, by the reason; for any other reason it stays missing.
 * @throws RangeError for a reason that does not exist
 */
export function withImputation(definition: FeatureDefinition, extract: FeatureExtractor): FeatureExtractor {
  if (!('missing' in definition) || definition.missing === undefined || definition.missing === 'abstain')
    return extract;
  const rules = new Map<MissingReason, { readonly value: number | boolean; readonly source: string }>();
  for (const { because, value, source } of definition.missing.impute)
    for (const reason of because) rules.set(toMissingReason(reason), { value, source });
  return (context) => {
    const found = extract(context);
    const rule = found.state === 'missing' ? rules.get(found.because) : undefined;
    if (found.state !== 'missing' || rule === undefined) return found;
    const { because, detail, sources } = found;
    return { state: 'imputed', value: rule.value, because, detail: `${detail}; imputed: ${rule.source}`, sources };
  };
}
