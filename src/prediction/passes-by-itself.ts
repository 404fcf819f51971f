import type { ModelInputs } from '../features/feature-vector.ts';

/**
 * Whether nothing but the quiet period of a study keeps a model from speaking: for each outcome every reason is an image of a study
 * that is there whole and changed a moment ago. Any other reason beside it says something of the subject.
 */
export function passesByItself({ features, verdicts }: Pick<ModelInputs, 'features' | 'verdicts'>): boolean {
  const isPassing = (name: string | undefined): boolean => {
    const value = name === undefined ? undefined : features.get(name);
    return value?.state === 'missing' && value.passes === true;
  };
  return [...verdicts.values()].every(
    (verdict) =>
      verdict.state === 'insufficient-data' &&
      verdict.reasons.length > 0 &&
      verdict.reasons.every(({ feature }) => isPassing(feature)),
  );
}
