import { isPlainNumber } from '../fhir/plain-number.ts';
import type { ModelOutputDefinition } from '../model-catalog/feature-map-schema.ts';
import type { Confidentiality } from '../records/confidentiality.ts';
import { type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import type { FeatureScalar, FeatureValue, MissingReason, SourceReference, Verdict } from './feature-vector.ts';
import { reasonsBehind } from './missing-policy.ts';
import { pickDate } from './pick-by-content.ts';
import { isWithin } from './same-number.ts';

/** What another model says of the same record as of the same instant, about one of its outcomes. */
export type ModelOutput = {
  /** Every resource that it was decided by. */
  readonly sources: readonly SourceReference[];
  /** It rests on a state as it is today, see `guessedFeatures`. */
  readonly isGuess: boolean;
  /** Of all that it was decided by, what is shown to nobody included; absent where no resource says it. */
  readonly confidentiality?: Confidentiality;
} & (
  | {
      /** The unrounded score, or the code of the class. */
      readonly value: number | string;
      /** When its inputs are from. */
      readonly dates: readonly string[];
      /** What its own result would say of its inputs beside their values; empty where nothing. */
      readonly remarks: readonly string[];
    }
  | {
      /** Why it abstains. */
      readonly verdict: Exclude<Verdict, { state: 'score' }>;
      readonly behind: readonly MissingReason[];
    }
);

/** By `outputKey`. */
export type ModelOutputs = ReadonlyMap<string, ModelOutput>;

/** Names one outcome of one version of a model. */
export function outputKey({
  model,
  version,
  outcome,
}: Pick<ModelOutputDefinition, 'model' | 'version' | 'outcome'>): string {
  return `${model}@${version} ${outcome}`;
}

/**
 * The output of another model, which was asked about the same record before: its very number, as old as the oldest of its
 * inputs. Where that model abstains the feature is missing, for the reasons of that model.
 */
export function compileModelOutput(definition: ModelOutputDefinition): FeatureExtractor {
  const { label, model: id, version, outcome, unit, plausible, whole, vocabulary } = definition;
  const model = `${id}@${version}`;
  const key = outputKey(definition);
  return (context): FeatureValue => {
    const output = context.outputs.get(key);
    if (output === undefined) return missing('input-missing', `${label} needs ${model}, which was not asked`);
    const { sources } = output;
    if ('verdict' in output) {
      const { state, reasons } = output.verdict;
      const why = reasons.map(({ message }) => message).join('; ');
      const detail = `${label} needs ${outcome} of ${model}, which abstains (${state}): ${why}`;
      return { ...missing('input-missing', detail, sources), behind: output.behind };
    }
    const { value, dates, remarks } = output;
    if (!isOfItsKind(value)) {
      const found = `${outcome} of ${model} is ${value}, which ${label} cannot be`;
      return missing(typeof value === 'string' ? 'not-in-vocabulary' : 'not-numeric', found, sources);
    }
    if (typeof value === 'number' && !isPlainNumber(value)) return unsayable(label, sources);
    if (typeof value === 'number' && plausible !== undefined && !isWithin(value, ...plausible))
      return missing('implausible', `${label} lies outside ${plausible.join(' to ')} ${unit}`, sources);
    const at = pickDate(context, dates, 'earliest');
    const detail = [`${outcome} of ${model}`, ...remarks].join('; ');
    return { state: 'derived', value, ...(at === undefined ? {} : { at }), from: [], model, detail, sources };
  };

  function isOfItsKind(value: FeatureScalar): boolean {
    if (unit === undefined) return typeof value === 'string' && vocabulary?.includes(value) === true;
    return typeof value === 'number' && (whole !== true || Number.isInteger(value));
  }
}

/**
 * Why a model that abstains lacks what it lacks. Empty where it is for another cause (not eligible, out of range, two that
 * contradict each other): nothing stands for its output then.
 */
export function reasonsOfAbstention(
  verdict: Verdict,
  features: ReadonlyMap<string, FeatureValue>,
): readonly MissingReason[] {
  if (verdict.state !== 'insufficient-data') return [];
  const found = verdict.reasons.map(({ feature }) => {
    const value = feature === undefined ? undefined : features.get(feature);
    if (value?.state === 'imputed') return [value.because];
    return value?.state === 'missing' ? reasonsBehind(value, features) : undefined;
  });
  return found.includes(undefined) ? [] : [...new Set(found.flatMap((reasons) => reasons ?? []))];
}
