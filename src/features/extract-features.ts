import type { Observation } from '@medplum/fhirtypes';
import { tokensOf } from '../fhir/codes.ts';
import { type InstantRange, instantRange } from '../fhir/instant-range.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import { type Attendance, attendances } from './attendance.ts';
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
  const rangeOf = datesReadOnce(timeZone);
  let attended: readonly Attendance[] | undefined;
  const context: ExtractionContext = {
    record,
    asOf,
    timeZone,
    rangeOf,
    attended: () => {
      attended ??= attendances(context);
      return attended;
    },
    values: extracted,
    observationsByCode: observationIndex(record),
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

/** The same few dates are asked for by many features. */
function datesReadOnce(timeZone: string): ExtractionContext['rangeOf'] {
  const read = new Map<string, InstantRange | undefined>();
  return (date) => {
    if (date === undefined) return undefined;
    const known = read.get(date);
    if (known !== undefined || read.has(date)) return known;
    const range = instantRange(date, timeZone);
    read.set(date, range);
    return range;
  };
}

/** Observations by each code of their own, whatever its system: to join the two for every Observation would cost more. */
function observationIndex(record: ClinicalRecord): ExtractionContext['observationsByCode'] {
  const index = new Map<string, Observation[]>();
  for (const observation of record.byType('Observation')) {
    for (const { code } of observation.code.coding ?? []) {
      if (code === undefined) continue;
      const list = index.get(code);
      if (list === undefined) index.set(code, [observation]);
      else list.push(observation);
    }
  }
  return (token) => {
    const held = index.get(token.slice(token.lastIndexOf('|') + 1));
    return held === undefined ? [] : held.filter(({ code }) => tokensOf(code).includes(token));
  };
}
