import type { Encounter } from '@medplum/fhirtypes';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import type { FeatureValue, ModelInputs } from '../../src/features/feature-vector.ts';
import type { ModelOutputs } from '../../src/features/model-output.ts';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Lookup, Lookups } from '../../src/model-catalog/read-lookups.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import { recordOf } from './build-record.ts';

export const noPopulation: FeatureMap['population'] = { exclude: [], require: [], ranges: [] };

/** Extracts every feature of a small map from a small record. */
export function extractAll(
  features: Record<string, FeatureDefinition>,
  resources: readonly RecordResource[],
  options: {
    asOf?: string;
    timeZone?: string;
    population?: FeatureMap['population'];
    columns?: string[];
    outcomes?: string[];
    asserted?: ReadonlyMap<string, FeatureValue>;
    lookups?: Lookups;
    /** What other models say of the record. */
    outputs?: ModelOutputs;
    /** The one that the call names. */
    encounter?: Encounter;
  } = {},
): ModelInputs {
  const compiled = compileFeatureMap(
    { language: 1, features, population: options.population ?? noPopulation },
    options.lookups,
  );
  const columns = (options.columns ?? Object.keys(features)).map((feature) => ({ feature }));
  const outcomes = (options.outcomes ?? ['outcome']).map((id) => ({
    id,
    label: id,
    kind: 'probability' as const,
    column: 0,
    horizon: 'P10Y',
  }));
  return extractFeatures(
    recordOf(resources, options.asOf, options.encounter),
    compiled,
    {
      tensors: { input: { name: 'x', type: 'float64', columns }, output: { name: 'y', type: 'float64', columns: 1 } },
      outcomes,
    },
    options.asserted ?? new Map(),
    options.timeZone ?? 'UTC',
    options.outputs,
  );
}

/** Extracts one feature. */
export function extractOne(
  definition: FeatureDefinition,
  resources: readonly RecordResource[],
  options: { asOf?: string; timeZone?: string; lookup?: Lookup; encounter?: Encounter } = {},
): FeatureValue {
  const { lookup, ...others } = options;
  const lookups = lookup === undefined ? {} : { lookups: new Map([['feature', lookup]]) };
  const value = extractAll({ feature: definition }, resources, { ...others, ...lookups }).features.get('feature');
  if (value === undefined) throw new Error('the feature was not extracted');
  return value;
}
