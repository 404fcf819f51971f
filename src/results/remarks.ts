import type { FeatureValue } from '../features/feature-vector.ts';
import type { ResultRequest } from './result-request.ts';

/** What a reader must know beside the numbers, one sentence or two each, most important first (RA-6). */
export function remarks(request: ResultRequest): string[] {
  const { manifest } = request.model;
  return [
    'AI-generated, preliminary: not verified by a person.',
    ...(request.testData ? ['Test data: about no real person, not for clinical use.'] : []),
    ...whatIf(request),
    ...(manifest.supersededBy === undefined
      ? []
      : [`This model is superseded by ${manifest.supersededBy.model}: ${manifest.supersededBy.because}`]),
    ...withDetail(request, 'assumed-absent', 'Assumed absent'),
    ...withDetail(request, 'missing', 'Missing'),
    ...withheld(request),
    contributionMethod(request),
  ];
}

/** How contributions came about, or why there are none. */
function contributionMethod({ contributions, model }: ResultRequest): string {
  if ('none' in contributions) return `No contributions of inputs: ${contributions.none}`;
  const reference = Object.entries(model.manifest.explanation.reference)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  return (
    'Contributions: occlusion against the reference person, that is the difference in percentage points made by ' +
    `putting one input of the reference person (${reference}) in the place of this subject's. They do not add up to the risk.`
  );
}

function whatIf({ inputs, features }: ResultRequest): string[] {
  const names = [...inputs.features]
    .filter(([, { state }]) => state === 'asserted')
    .map(([name]) => labelOf(features, name));
  if (names.length === 0) return [];
  return [`What-if: asserted by the caller, not taken from the record: ${names.join(', ')}.`];
}

function withDetail({ inputs, features }: ResultRequest, state: FeatureValue['state'], title: string): string[] {
  return [...inputs.features].flatMap(([name, value]) =>
    value.state === state && 'detail' in value ? [`${title}: ${labelOf(features, name)} (${value.detail}).`] : [],
  );
}

function withheld({ inputs, model }: ResultRequest): string[] {
  return model.manifest.outcomes.flatMap(({ id, label }) => {
    const verdict = inputs.verdicts.get(id);
    if (verdict === undefined || verdict.state === 'score') return [];
    return [`Withheld: ${label}, ${verdict.state}: ${verdict.reasons.map(({ message }) => message).join('; ')}.`];
  });
}

function labelOf(features: ResultRequest['features'], name: string): string {
  return features[name]?.label ?? name;
}
