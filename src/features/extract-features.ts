import type { Resource } from '@medplum/fhirtypes';
import { tokensOf } from '../fhir/codes.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { CompiledFeatureMap } from './compile-feature-map.ts';
import { defaultExclusions } from './default-exclusions.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import type { FeatureValue, ModelInputs, SourceReference, Verdict } from './feature-vector.ts';
import { judge } from './population.ts';

/**
 * Step 2 of the path: turns the record into the model's inputs and says, outcome by outcome, whether the model may speak.
 * @param asserted values of the caller, which replace what the record says
 * @param timeZone IANA zone in which dates without a time are read
 */
export function extractFeatures(
  record: ClinicalRecord,
  compiled: CompiledFeatureMap,
  manifest: Pick<Manifest, 'tensors' | 'outcomes'>,
  asserted: ReadonlyMap<string, FeatureValue>,
  timeZone: string,
): ModelInputs {
  const asOf = record.asOf.getTime();
  const extracted = new Map<string, FeatureValue>();
  const observations = observationIndex(record);
  const context: ExtractionContext = {
    record,
    asOf,
    timeZone,
    values: extracted,
    observationsByCode: (token) => observations.get(token) ?? [],
  };
  for (const feature of compiled.order) {
    extracted.set(feature.name, asserted.get(feature.name) ?? feature.extract(context));
  }
  const features = new Map<string, FeatureValue>();
  for (const name of compiled.features.keys()) {
    const value = extracted.get(name);
    if (value !== undefined) features.set(name, value);
  }

  const exclusions = defaultExclusions(record, asOf, timeZone);
  const required = manifest.tensors.input.columns.map(({ feature }) => feature);
  const verdicts = new Map<string, Verdict>();
  for (const { id } of manifest.outcomes) verdicts.set(id, judge(compiled.map, required, id, exclusions, features));

  const basis = new Map<string, SourceReference>();
  const used = [
    ...exclusions.flatMap(({ sources }) => sources),
    record.sourceReference(record.patient),
    ...[...features.values()].flatMap(({ sources }) => sources),
  ];
  for (const source of used) basis.set(`${source.reference} ${source.display ?? ''}`, source);
  return { features, verdicts, basis: [...basis.values()] };
}

function observationIndex(record: ClinicalRecord): ReadonlyMap<string, readonly Resource[]> {
  const index = new Map<string, Resource[]>();
  for (const observation of record.byType('Observation')) {
    for (const token of tokensOf(observation.code)) {
      const list = index.get(token);
      if (list === undefined) index.set(token, [observation]);
      else list.push(observation);
    }
  }
  return index;
}
