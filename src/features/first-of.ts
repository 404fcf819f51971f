import type { FirstOfDefinition } from '../model-catalog/feature-map-schema.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import { type FeatureValue, toMissingReason } from './feature-vector.ts';

/**
 * The first of several features that has a value. One that has none is passed over for the reasons that the map names; any
 * other reason is a doubt, and becomes the reason of this feature: the next one is no answer to it.
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
      if (value.state !== 'missing') return chosen(name, value, passed);
      if (!passOver.has(value.because)) {
        return { ...value, detail: `${label}: ${value.detail}`, needs: [name], because: 'input-missing' };
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

function chosen(
  name: string,
  value: Exclude<FeatureValue, { state: 'missing' }>,
  passed: readonly string[],
): FeatureValue {
  return {
    state: 'derived',
    value: value.value,
    ...('at' in value && value.at !== undefined ? { at: value.at } : {}),
    from: [name],
    ...(passed.length === 0 ? {} : { detail: `passed over ${passed.join(', ')}` }),
    sources: value.sources,
  };
}
