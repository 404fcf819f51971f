import type { FeatureMap } from '../model-catalog/feature-map-schema.ts';
import type { Exclusion } from './default-exclusions.ts';
import type { FeatureValue, MissingReason, Verdict } from './feature-vector.ts';

type Reason = { readonly reason: string; readonly feature?: string; readonly message: string };

/**
 * May the model speak about this subject, for one outcome? In this order: not eligible (every reason), insufficient
 * data (every input that is missing), out of range (every input outside), else score.
 * @param required features the model reads, in the order of its columns
 */
export function judge(
  map: FeatureMap,
  required: readonly string[],
  outcome: string,
  exclusions: readonly Exclusion[],
  features: ReadonlyMap<string, FeatureValue>,
): Verdict {
  const { population } = map;
  const concerns = (rule: { readonly outcomes?: readonly string[] }): boolean =>
    rule.outcomes === undefined || rule.outcomes.includes(outcome);
  const notEligible: Reason[] = exclusions.map(({ reason, message }) => ({ reason, message }));
  const insufficient = new Map<string, Reason>();
  const lacks = (name: string): void => {
    for (const reason of missingBehind(name, features)) insufficient.set(reason.reason, reason);
  };

  for (const rule of population.exclude.filter(concerns)) {
    const value = known(features.get(rule.feature));
    if (value === undefined) lacks(rule.feature);
    else if (value === rule.equals)
      notEligible.push({ reason: rule.reason, feature: rule.feature, message: rule.message });
  }
  for (const rule of population.require.filter(concerns)) {
    const value = known(features.get(rule.feature));
    if (value === undefined) lacks(rule.feature);
    else if ('in' in rule ? !rule.in.includes(String(value)) : Number(value) < rule.from || Number(value) > rule.to) {
      notEligible.push({ reason: rule.reason, feature: rule.feature, message: rule.message });
    }
  }
  if (notEligible.length > 0) return { state: 'not-eligible', reasons: notEligible };

  const ranges = population.ranges.filter(concerns);
  for (const name of [...required, ...ranges.map(({ feature }) => feature)]) {
    if (known(features.get(name)) === undefined) lacks(name);
  }
  if (insufficient.size > 0) return { state: 'insufficient-data', reasons: [...insufficient.values()] };

  const outside: Reason[] = [];
  for (const rule of ranges) {
    const value = Number(known(features.get(rule.feature)));
    const tooHigh = rule.below !== undefined ? value >= rule.below : rule.to !== undefined && value > rule.to;
    if (value < rule.from || tooHigh) {
      const upper = rule.below !== undefined ? `below ${rule.below}` : `to ${rule.to}`;
      outside.push({
        reason: rule.feature,
        feature: rule.feature,
        message: `${rule.feature} lies outside ${rule.from} ${upper}, the range the model was made for`,
      });
    }
  }
  return outside.length > 0 ? { state: 'out-of-range', reasons: outside } : { state: 'score' };
}

function known(value: FeatureValue | undefined): number | boolean | string | undefined {
  return value === undefined || value.state === 'missing' ? undefined : value.value;
}

/** A derived feature is missing because of others: those are named, since they are what has to be measured. */
function missingBehind(
  name: string,
  features: ReadonlyMap<string, FeatureValue>,
  depth = 0,
): { reason: string; feature: string; message: string }[] {
  const value = features.get(name);
  if (value === undefined || value.state !== 'missing') return [];
  const inputs = value.because === 'input-missing' && depth < 8 ? (value.needs ?? []) : [];
  const behind = inputs.flatMap((input) => missingBehind(input, features, depth + 1));
  if (behind.length > 0) return behind;
  const because: MissingReason = value.because;
  return [{ reason: `${name}:${because}`, feature: name, message: value.detail }];
}
