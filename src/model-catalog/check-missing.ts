import type { FeatureDefinition, FeatureMap } from './feature-map-schema.ts';
import { readsOf } from './feature-reads.ts';
import { missingPolicyOf } from './missing-input.ts';
import { plausibleRange } from './plausible-range.ts';
import { repeated } from './repeated.ts';
import type { MissingPolicy } from './schema-terms.ts';
import { valueKind, vocabularyOf } from './value-kind.ts';

type Find = (path: string, message: string) => void;
type Policy = Exclude<MissingPolicy, 'abstain'>;

/**
 * That what stands for a missing feature is of its kind, that what is imputed can be true and is limited in number, and
 * that none of it decides about anybody's eligibility.
 */
export function checkMissing(map: FeatureMap, find: Find): void {
  const { exclude, require, mostImputed } = map.population;
  for (const [name, definition] of Object.entries(map.features)) {
    const policy = missingPolicyOf(definition);
    if (policy === undefined) continue;
    const path = `/features/${name}/missing`;
    checkValues(policy, definition, (message) => find(path, message));
    checkReasons(policy, definition, (message) => find(path, message));
    checkRules(policy.impute ?? [], map, (message) => find(path, message));
    if ([...exclude, ...require].some(({ feature }) => restsOn(map, feature, name)))
      find(path, 'must abstain: whether the model may speak about somebody has to be known');
    if (policy.impute !== undefined && (mostImputed === undefined || mostImputed === 0))
      find('/population/mostImputed', `is needed, above 0, for ${name} is imputed: how many features may be`);
  }
}

function checkValues(
  { impute = [], indicate }: Policy,
  definition: FeatureDefinition,
  find: (message: string) => void,
) {
  const kind = valueKind(definition);
  for (const { value } of [...impute, ...(indicate === undefined ? [] : [indicate])])
    if (kind === 'code' && typeof value === 'string') {
      if (!vocabularyOf(definition).includes(value)) find(`takes ${value}, which is not in its vocabulary`);
    } else if (typeof value !== kind) find(`takes ${value}, a ${typeof value}, for a feature that is a ${kind}`);
  const plausible = plausibleRange(definition);
  for (const { value } of impute)
    if (plausible !== undefined && (Number(value) < plausible[0] || Number(value) > plausible[1]))
      find(`imputes ${value}, which lies outside what is plausible`);
}

/** Each reason leads to one thing, and one that a feature cannot have to nothing. */
function checkReasons(policy: Policy, definition: FeatureDefinition, find: (message: string) => void): void {
  const { impute = [], indicate, nan } = policy;
  if (indicate !== undefined && nan !== undefined) find('takes both indicate and nan: the model was trained with one');
  const onPurpose = [...(indicate?.because ?? []), ...(nan?.because ?? [])];
  const imputed = impute.flatMap(({ because }) => because);
  for (const because of new Set(imputed.filter((reason) => onPurpose.includes(reason))))
    find(`imputes for ${because}, for which the model is given that it is missing`);
  const isMadeOfOthers = ['derived', 'first-of', 'model'].includes(definition.kind);
  if (isMadeOfOthers && [...onPurpose, ...imputed].includes('input-missing'))
    find('names input-missing; name the reasons of the features that it is made of');
}

/** Of the rules for one reason each can be reached, and asks something that its feature can be. */
function checkRules(impute: NonNullable<Policy['impute']>, map: FeatureMap, find: (message: string) => void): void {
  for (const reason of new Set(impute.flatMap(({ because }) => because))) {
    const rules = impute.filter(({ because }) => because.includes(reason));
    const always = rules.findIndex(({ when }) => when === undefined);
    if (always >= 0 && always < rules.length - 1)
      find(`imputes twice for ${reason}: no rule after one without 'when' is reached`);
    for (const when of repeated(rules.flatMap(({ when }) => (when ? [`${when.feature} ${when.equals}`] : []))))
      find(`imputes twice for ${reason} and ${when}`);
  }
  for (const { when } of impute) {
    if (when === undefined) continue;
    const asked = Object.hasOwn(map.features, when.feature) ? map.features[when.feature] : undefined;
    if (asked === undefined) find(`asks for ${when.feature}, which the map does not define`);
    else if (valueKind(asked) === 'number')
      find(`asks for ${when.feature}, a number; it has to be a code or yes or no`);
    else if (valueKind(asked) === 'boolean' ? typeof when.equals !== 'boolean' : !isOneOf(asked, when.equals))
      find(`asks whether ${when.feature} is ${when.equals}, which it never is`);
  }
}

function isOneOf(definition: FeatureDefinition, code: string | boolean): boolean {
  return typeof code === 'string' && vocabularyOf(definition).includes(code);
}

/** Whether a feature is another one, or made of it. */
function restsOn(map: FeatureMap, feature: string, other: string, depth = 0): boolean {
  const definition = map.features[feature];
  if (feature === other || definition === undefined || depth > Object.keys(map.features).length)
    return feature === other;
  return readsOf(definition).some((read) => restsOn(map, read, other, depth + 1));
}
