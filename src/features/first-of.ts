import type { FirstOfDefinition } from '../model-catalog/feature-map-schema.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import { type FeatureValue, toMissingReason } from './feature-vector.ts';
import { reasonsBehind } from './missing-policy.ts';

/**
 * The first of several features that has a value. One that has none is passed over for the reasons that the map names (of
 * one that is made of others: for theirs); any other reason is a doubt, and becomes the reason of this feature: the next
 * one is no answer to it.
 * @throws RangeError for a reason that does not exist
 */
export function compileFirstOf(definition: FirstOfDefinition): {
  readonly extract: FeatureExtractor;
  readonly reads: readonly string[];
} {
  const { label, of } = definition;
  const passOver = new Set(definition.passOver.map(toMissingReason));
  const extract: FeatureExtractor = ({ values }) => {
    const passed: string[] = [];
    const asked: FeatureValue[] = [];
    for (const name of of) {
      const value = values.get(name);
      if (value === undefined) throw new Error(`${name} was not extracted before ${label}`);
      asked.push(value);
      if (value.state !== 'missing') return chosen(name, value, said(passed, unused(of, name, values)));
      if (!reasonsBehind(value, values).every((because) => passOver.has(because))) {
        const { given: _ofThatFeature, ...doubt } = value;
        return { ...doubt, detail: `${label}: ${value.detail}`, needs: [name], because: 'input-missing' };
      }
      passed.push(`${name} (${value.because})`);
    }
    return {
      state: 'missing',
      because: 'input-missing',
      detail: `${label}: passed over ${passed.join(', ')}`,
      needs: of,
      sources: [...new Set(asked.flatMap(({ sources }) => sources))],
    };
  };
  return { extract, reads: of };
}

/** What the caller asserts of a later source has no effect where an earlier one has a value: the result says so. */
function unused(of: readonly string[], taken: string, values: ReadonlyMap<string, FeatureValue>): string[] {
  return of.slice(of.indexOf(taken) + 1).filter((name) => values.get(name)?.state === 'asserted');
}

function said(passed: readonly string[], asserted: readonly string[]): string[] {
  return [
    ...(passed.length === 0 ? [] : [`passed over ${passed.join(', ')}`]),
    ...(asserted.length === 0 ? [] : [`asserted, but not used: ${asserted.join(', ')}`]),
  ];
}

function chosen(
  name: string,
  value: Exclude<FeatureValue, { state: 'missing' }>,
  details: readonly string[],
): FeatureValue {
  return {
    state: 'derived',
    value: value.value,
    ...('at' in value && value.at !== undefined ? { at: value.at } : {}),
    from: [name],
    ...(details.length === 0 ? {} : { detail: details.join('; ') }),
    sources: value.sources,
  };
}
