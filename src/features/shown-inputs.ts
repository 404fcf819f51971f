import type { FeatureValue, ModelInputs, SourceReference, Verdict } from './feature-vector.ts';

/** What stands in the place of every reason that a sensitive feature gives. */
const notShown = {
  reason: 'not-shown',
  message: 'an input that is sensitive, and not shown, does not allow it',
} as const;

/**
 * The inputs as they may be told: those that the map marks as sensitive stand apart, no reason of a verdict is about one, and
 * resources that are there for them alone are none of the basis. The same object where the map marks none.
 * @param sensitive names of features
 */
export function shownInputs(inputs: ModelInputs, sensitive: ReadonlySet<string>): ModelInputs {
  if (sensitive.size === 0) return inputs;
  const features = new Map<string, FeatureValue>();
  const hidden = new Map<string, FeatureValue>();
  for (const [name, value] of inputs.features) (sensitive.has(name) ? hidden : features).set(name, value);
  const shown = sourcesOf(features);
  const alone = sourcesOf(hidden).difference(shown);
  return {
    ...inputs,
    features,
    hidden,
    verdicts: new Map([...inputs.verdicts].map(([outcome, verdict]) => [outcome, shownVerdict(verdict, sensitive)])),
    basis: inputs.basis.filter((source) => !alone.has(source)),
  };
}

function sourcesOf(features: ReadonlyMap<string, FeatureValue>): Set<SourceReference> {
  return new Set([...features.values()].flatMap(({ sources }) => sources));
}

function shownVerdict(verdict: Verdict, sensitive: ReadonlySet<string>): Verdict {
  if (verdict.state === 'score') return verdict;
  const isAbout = ({ reason, feature, message }: (typeof verdict.reasons)[number]): boolean =>
    (feature !== undefined && sensitive.has(feature)) ||
    // A sentence of the map, or of a check of two features, may name one that it is not about.
    `${reason} ${message}`.split(/[^A-Za-z0-9]+/).some((word) => sensitive.has(word));
  const reasons = verdict.reasons.filter((reason) => !isAbout(reason));
  return reasons.length === verdict.reasons.length
    ? verdict
    : { state: verdict.state, reasons: [...reasons, notShown] };
}
