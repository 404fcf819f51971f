import type { FeatureMap } from '../model-catalog/feature-map-schema.ts';
import { disagreement } from './cross-check.ts';
import type { Exclusion } from './default-exclusions.ts';
import type { FeatureValue, Verdict } from './feature-vector.ts';
import { isAtLeast, isWithin } from './same-number.ts';

type Population = FeatureMap['population'];
type Reason = { readonly reason: string; readonly feature?: string; readonly message: string };

/** What is judged: a subject's features, and why no model may speak about it at all. */
export interface Judged {
  /** The columns of the model, each with the feature that it reads. */
  readonly required: readonly { readonly feature: string }[];
  readonly exclusions: readonly Exclusion[];
  readonly features: ReadonlyMap<string, FeatureValue>;
}

/** May the model speak about this subject? By outcome id, in the order given. */
export type Judge = (outcomes: readonly { readonly id: string }[], judged: Judged) => Map<string, Verdict>;

/** Outcomes that the same rules concern have the same verdict, which is found once. */
export function compilePopulation(population: Population): Judge {
  const named = new Set(
    [...population.exclude, ...population.require, ...population.ranges, ...(population.crossChecks ?? [])].flatMap(
      ({ outcomes }) => outcomes ?? [],
    ),
  );
  const sets = new Map<string, Population>();
  const rulesOf = new Map<string, Population>();
  for (const outcome of named) {
    const rules = concerning(population, outcome);
    const key = JSON.stringify(rules);
    rulesOf.set(outcome, sets.get(key) ?? rules);
    if (!sets.has(key)) sets.set(key, rules);
  }
  const rulesOfOthers = concerning(population, undefined);
  // A model has one list of outcomes for as long as it is loaded.
  const planned = new WeakMap<object, Plan>();
  return (outcomes, judged) => {
    const plan = planned.get(outcomes) ?? planOf(outcomes, ({ id }) => rulesOf.get(id) ?? rulesOfOthers);
    planned.set(outcomes, plan);
    const gaps = gapsOf(judged);
    const found = plan.rules.map((rules) => judge(rules, judged, gaps));
    const verdicts = new Map<string, Verdict>();
    for (const { id, at } of plan.outcomes) verdicts.set(id, found[at] as Verdict);
    return verdicts;
  };
}

/** Each set of rules once, and each outcome with the place of its set. */
interface Plan {
  readonly rules: readonly Population[];
  readonly outcomes: readonly { readonly id: string; readonly at: number }[];
}

function planOf<T extends { readonly id: string }>(outcomes: readonly T[], rulesOf: (outcome: T) => Population): Plan {
  const rules = [...new Set(outcomes.map(rulesOf))];
  return { rules, outcomes: outcomes.map((outcome) => ({ id: outcome.id, at: rules.indexOf(rulesOf(outcome)) })) };
}

function concerning(population: Population, outcome: string | undefined): Population {
  const concerns = ({ outcomes }: { readonly outcomes?: readonly string[] }): boolean =>
    outcomes === undefined || (outcome !== undefined && outcomes.includes(outcome));
  return {
    exclude: population.exclude.filter(concerns),
    require: population.require.filter(concerns),
    ranges: population.ranges.filter(concerns),
    crossChecks: population.crossChecks?.filter(concerns) ?? [],
    ...(population.mostImputed === undefined ? {} : { mostImputed: population.mostImputed }),
  };
}

/** What the model would not be given, and what it would be given in place of a measurement: the same for every outcome. */
interface Gaps {
  readonly lacking: readonly string[];
  readonly imputed: readonly string[];
}

function gapsOf({ required, features }: Judged): Gaps {
  const lacking: string[] = [];
  for (const { feature } of required) if (isLacking(features.get(feature))) lacking.push(feature);
  const imputed: string[] = [];
  for (const [name, { state }] of features) if (state === 'imputed') imputed.push(name);
  return { lacking, imputed };
}

/**
 * The verdict by the rules of one outcome. In this order: not eligible (every reason), insufficient data (every input
 * that is missing, every two that contradict each other), out of range (every input outside), else score.
 */
function judge(
  { exclude, require, ranges, crossChecks = [], mostImputed = 0 }: Population,
  { exclusions, features }: Judged,
  { lacking, imputed }: Gaps,
): Verdict {
  const notEligible: Reason[] = exclusions.map(({ reason, message }) => ({ reason, message }));
  const insufficient = new Map<string, Reason>();
  const lacks = (name: string): void => {
    for (const reason of missingBehind(name, features)) insufficient.set(reason.reason, reason);
  };

  for (const rule of exclude) {
    const value = known(features.get(rule.feature));
    if (value === undefined) lacks(rule.feature);
    else if (value === rule.equals)
      notEligible.push({ reason: rule.reason, feature: rule.feature, message: rule.message });
  }
  for (const rule of require) {
    const value = known(features.get(rule.feature));
    if (value === undefined) lacks(rule.feature);
    else if ('in' in rule ? !rule.in.includes(String(value)) : !isWithin(Number(value), rule.from, rule.to)) {
      notEligible.push({ reason: rule.reason, feature: rule.feature, message: rule.message });
    }
  }
  if (notEligible.length > 0) return { state: 'not-eligible', reasons: notEligible };

  for (const name of lacking) lacks(name);
  for (const { feature } of ranges) if (isLacking(features.get(feature))) lacks(feature);
  if (imputed.length > mostImputed) for (const name of imputed) lacks(name);
  for (const check of crossChecks) {
    const reason = disagreement(check, features);
    if (reason !== undefined) insufficient.set(reason.reason, reason);
  }
  if (insufficient.size > 0) return { state: 'insufficient-data', reasons: [...insufficient.values()] };

  const outside: Reason[] = [];
  for (const rule of ranges) {
    const given = known(features.get(rule.feature));
    // Missing on purpose: there is no value that could lie outside.
    if (given === undefined) continue;
    const value = Number(given);
    const tooHigh =
      rule.below !== undefined ? isAtLeast(value, rule.below) : !isWithin(value, rule.from, rule.to ?? value);
    if (!isAtLeast(value, rule.from) || tooHigh) {
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

/** Nothing can be given to the model for it. */
function isLacking(value: FeatureValue | undefined): boolean {
  return value === undefined || (value.state === 'missing' && value.given === undefined);
}

/** A derived feature is missing because of others: those are named, since they are what has to be measured. */
function missingBehind(
  name: string,
  features: ReadonlyMap<string, FeatureValue>,
  depth = 0,
): { reason: string; feature: string; message: string }[] {
  const value = features.get(name);
  if (value?.state === 'imputed') return [{ reason: `${name}:${value.because}`, feature: name, message: value.detail }];
  if (value === undefined || value.state !== 'missing') return [];
  const inputs = value.because === 'input-missing' && depth < 8 ? (value.needs ?? []) : [];
  const behind = inputs.flatMap((input) => missingBehind(input, features, depth + 1));
  if (behind.length > 0) return behind;
  return [{ reason: `${name}:${value.because}`, feature: name, message: value.detail }];
}
