import type { FeatureDefinition } from '../model-catalog/feature-map-schema.ts';
import { missingInput, missingPolicyOf } from '../model-catalog/missing-input.ts';
import type { MissingPolicy } from '../model-catalog/schema-terms.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import { type FeatureValue, type MissingReason, toMissingReason } from './feature-vector.ts';

type Missing = Extract<FeatureValue, { state: 'missing' }>;
type Values = ReadonlyMap<string, FeatureValue>;
type ImputeRule = NonNullable<Exclude<MissingPolicy, 'abstain'>['impute']>[number];

/**
 * A feature whose map says what becomes of it where it is missing, by the reason: something is imputed, or the model is
 * given that it is missing. For any other reason it stays missing, and the model abstains.
 * @throws RangeError for a reason that does not exist
 */
export function withMissingPolicy(definition: FeatureDefinition, extract: FeatureExtractor): FeatureExtractor {
  const policy = missingPolicyOf(definition);
  if (policy === undefined) return extract;
  const onPurpose = policy.indicate ?? policy.nan;
  const given = missingInput(definition);
  const isOnPurpose = coversAll(onPurpose?.because ?? []);
  const rules = (policy.impute ?? []).map((rule) => ({ rule, covers: coversAll(rule.because) }));

  return (context) => {
    const found = extract(context);
    if (found.state !== 'missing') return found;
    const reasons = reasonsBehind(found, context.values);
    if (onPurpose !== undefined && given !== undefined && isOnPurpose(reasons))
      return { ...found, detail: `${found.detail}; given to the model as missing: ${onPurpose.source}`, given };
    return imputed(
      found,
      rules.filter(({ covers }) => covers(reasons)).map(({ rule }) => rule),
      context.values,
    );
  };
}

/** By the first of the rules that is for this subject. Where that cannot be told, nothing is imputed. */
function imputed(found: Missing, rules: readonly ImputeRule[], values: Values): FeatureValue {
  const { because, detail, sources } = found;
  for (const { when, value, source } of rules) {
    if (when !== undefined) {
      const known = values.get(when.feature);
      if (known === undefined || known.state === 'missing')
        return { ...found, detail: `${detail}; not imputed, for ${when.feature} is missing` };
      if (known.value !== when.equals) continue;
    }
    return { state: 'imputed', value, because, detail: `${detail}; imputed: ${source}`, sources };
  }
  return found;
}

function coversAll(because: readonly string[]): (reasons: readonly MissingReason[]) => boolean {
  const listed = new Set(because.map(toMissingReason));
  return (reasons) => reasons.every((reason) => listed.has(reason));
}

/** A feature made of others is missing for the reasons of these: a doubt about one of them is a doubt about it. */
export function reasonsBehind(
  { because, behind: known, needs = [] }: Missing,
  values: Values,
): readonly MissingReason[] {
  if (because !== 'input-missing') return [because];
  if (known !== undefined && known.length > 0) return known;
  const behind = needs.flatMap((name) => {
    const value = values.get(name);
    return value?.state === 'missing' ? reasonsBehind(value, values) : [];
  });
  return behind.length === 0 ? [because] : behind;
}
