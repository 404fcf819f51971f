import { DateTime } from 'luxon';
import { type InstantRange, instantRange, usualRange } from '../fhir/instant-range.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import { inputColumns } from '../model-catalog/model-tensors.ts';
import { takenOutputs } from '../model-catalog/used-models.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import { type Confidentiality, strictestOf } from '../records/confidentiality.ts';
import { type Attendance, lastAttendance } from './attendance.ts';
import type { CompiledFeatureMap } from './compile-feature-map.ts';
import { defaultExclusions } from './default-exclusions.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import type { FeatureValue, ModelInputs, SourceReference } from './feature-vector.ts';
import type { ImageReadings } from './image.ts';
import { type ModelOutputs, outputKey } from './model-output.ts';

/**
 * Step 2 of the path: turns the record into the model's inputs and says, outcome by outcome, whether the model may speak.
 * @param asserted values of the caller, which replace what the record says
 * @param timeZone IANA zone in which dates without a time are read
 * @param outputs what the models whose outputs the map takes say of the same record
 * @param images what was read of the images of the map
 */
export function extractFeatures(
  record: ClinicalRecord,
  compiled: CompiledFeatureMap,
  manifest: Pick<Manifest, 'tensors' | 'outcomes'>,
  asserted: ReadonlyMap<string, FeatureValue>,
  timeZone: string,
  outputs: ModelOutputs = none,
  images: ImageReadings = noImages,
): ModelInputs {
  const extracted = new Map<string, FeatureValue>();
  const context = contextOf(record, compiled, timeZone, { values: extracted, outputs, images });
  for (const feature of compiled.order) {
    extracted.set(feature.name, asserted.get(feature.name) ?? feature.extract(context));
  }
  const features = compiled.isInOrder ? extracted : inOrderOfMap(extracted, compiled);

  const exclusions = defaultExclusions(record, context.asOf, timeZone);
  const required = inputColumns(manifest);
  const verdicts = compiled.judge(manifest.outcomes, { required, exclusions, features });

  // The record names a resource by one object, however often it is asked.
  const basis = new Set<SourceReference>();
  for (const { sources } of exclusions) for (const source of sources) basis.add(source);
  basis.add(record.sourceReference(record.patient));
  for (const { sources } of features.values()) for (const source of sources) basis.add(source);
  const confidentiality = strictestOf([record.confidentialityOf(basis), ...ofOutputs(compiled, features, outputs)]);
  return { features, verdicts, basis: [...basis], ...(confidentiality === undefined ? {} : { confidentiality }) };
}

/** How confidential the outputs are that the features come from: they rest on resources that are none of the basis here. */
function ofOutputs(
  { map }: CompiledFeatureMap,
  features: ReadonlyMap<string, FeatureValue>,
  outputs: ModelOutputs,
): (Confidentiality | undefined)[] {
  if (outputs.size === 0) return [];
  return takenOutputs(map)
    .filter(({ feature }) => features.get(feature)?.state !== 'asserted')
    .map(({ definition }) => outputs.get(outputKey(definition))?.confidentiality);
}

const none: ModelOutputs = new Map();
const noImages: ImageReadings = new Map();

function inOrderOfMap(
  extracted: ReadonlyMap<string, FeatureValue>,
  compiled: CompiledFeatureMap,
): ReadonlyMap<string, FeatureValue> {
  const features = new Map<string, FeatureValue>();
  for (const name of compiled.features.keys()) {
    const value = extracted.get(name);
    if (value !== undefined) features.set(name, value);
  }
  return features;
}

function contextOf(
  record: ClinicalRecord,
  { observationIndex, windows }: CompiledFeatureMap,
  timeZone: string,
  { values, outputs, images }: Pick<ExtractionContext, 'values' | 'outputs' | 'images'>,
): ExtractionContext {
  const asOf = record.asOf.getTime();
  let made: Map<object, unknown> | undefined;
  let attended: { readonly last: Attendance | undefined } | undefined;
  const context: ExtractionContext = {
    record,
    asOf,
    timeZone,
    rangeOf: dateReader(timeZone),
    since: windows.at(asOf),
    dayOf: (instant) => calendarDay(instant, timeZone),
    once: <Made>(key: object, make: () => Made): Made => {
      made ??= new Map();
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as Made;
    },
    lastAttended: () => {
      attended ??= { last: lastAttendance(context) };
      return attended.last;
    },
    values,
    outputs,
    images,
    observations: observationIndex.sort(record.byType('Observation')),
  };
  return context;
}

function calendarDay(instant: number, zone: string): string {
  const day = DateTime.fromMillis(instant, { zone }).toISODate();
  if (day === null) throw new RangeError(`there is no day at ${instant} in ${zone}`);
  return day;
}

/**
 * Dates in their usual forms are read each time they are asked for, which costs less than to remember them. Others need
 * a calendar; they are asked for by many features, and stand in many resources: they are read once.
 */
function dateReader(timeZone: string): ExtractionContext['rangeOf'] {
  let read: Map<string, InstantRange | undefined> | undefined;
  return (date) => {
    if (date === undefined) return undefined;
    const usual = usualRange(date, timeZone);
    if (usual !== undefined) return usual;
    read ??= new Map();
    const known = read.get(date);
    if (known !== undefined || read.has(date)) return known;
    const range = instantRange(date, timeZone);
    read.set(date, range);
    return range;
  };
}
