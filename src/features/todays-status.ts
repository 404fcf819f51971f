import type { Resource } from '@medplum/fhirtypes';
import { instantRange } from '../fhir/instant-range.ts';
import type { FeatureDefinition, MedicationDefinition } from '../model-catalog/feature-map-schema.ts';
import { medicationSources, typeOfSource } from '../model-catalog/medication-schema.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { CompiledFeatureMap } from './compile-feature-map.ts';
import type { FeatureValue, SourceReference } from './feature-vector.ts';
import { beginningOf } from './medication-standing.ts';
import { type ModelOutputs, outputKey } from './model-output.ts';
import type { MedicationResource } from './prescribed.ts';

/**
 * The features whose value at as-of rests on a state as it is today, which may not have been that of as-of: FHIR keeps one
 * status of an order, and an address may have no period. Where the resource was changed after as-of, or does not say when
 * it was, the value is a guess. A feature that reads such a feature rests on the same guess.
 */
export function guessedFeatures(
  { order }: Pick<CompiledFeatureMap, 'order'>,
  values: ReadonlyMap<string, FeatureValue>,
  record: ClinicalRecord,
  timeZone: string,
  outputs: ModelOutputs = new Map(),
): ReadonlySet<string> {
  const guessed = new Set<string>();
  for (const { name, definition, reads } of order) {
    const value = values.get(name);
    if (value === undefined) continue;
    const inherited = reads.some((read) => guessed.has(read));
    const isOfGuess = definition.kind === 'model' && outputs.get(outputKey(definition))?.isGuess === true;
    if (inherited || isOfGuess || isGuess(definition, value, record, timeZone)) guessed.add(name);
  }
  return guessed;
}

/** Every kind is decided on: a new one does not compile before it is. */
function isGuess(
  definition: FeatureDefinition,
  value: FeatureValue,
  record: ClinicalRecord,
  timeZone: string,
): boolean {
  switch (definition.kind) {
    case 'medication':
      return restsOnLaterStatus(definition, value, record, timeZone);
    case 'address':
      return restsOnLaterAddress(value, record, timeZone);
    case 'appointment':
      return restsOnLater(record, timeZone, record.byType('Appointment'), ({ created }) => created);
    case 'service-request':
      return restsOnLater(record, timeZone, record.byType('ServiceRequest'), ({ authoredOn }) => authoredOn);
    // What they were at as-of is told from dates (onset, abatement, periods), or not told at all.
    case 'condition':
    case 'allergy':
    case 'family-history':
    case 'procedure':
    case 'encounter':
    case 'demographics':
    case 'observation':
    case 'answer':
    case 'category':
    case 'text':
    case 'sequence':
    case 'image':
    case 'questionnaire':
      return false;
    // No record holds it.
    case 'input':
      return false;
    // What they read is looked at by itself, that of another model too.
    case 'model':
    case 'derived':
    case 'first-of':
      return false;
  }
}

/**
 * A yes is certain where one of its orders or statements has not been changed since as-of. Everything else is, where none of
 * that time has been. What is told by its period, and what was given or handed out in a window, has no status that counts.
 */
function restsOnLaterStatus(
  definition: MedicationDefinition,
  value: FeatureValue,
  record: ClinicalRecord,
  timeZone: string,
): boolean {
  if (definition.activeAt === 'period') return false;
  const lasting = medicationSources(definition).filter((source) => source === 'request' || source === 'statement');
  const asOf = record.asOf.getTime();
  const isLater = laterThan(asOf, timeZone);
  const known = lasting
    .flatMap((source) => record.byType(typeOfSource[source]) as readonly MedicationResource[])
    .filter((resource) => {
      const date = beginningOf(resource);
      const begun = date === undefined ? undefined : instantRange(date, timeZone);
      return begun === undefined || begun.start <= asOf;
    });
  if (value.state !== 'observed') return known.some(isLater);
  const proofs = new Set(value.sources);
  const behind = known.filter((resource) => proofs.has(record.sourceReference(resource)));
  // Where something else proves it (a dose that was given), there is none.
  return behind.length > 0 && behind.every(isLater) && !isProvenOtherwise(definition, proofs, record);
}

/** True where a dose that was given or handed out is among what says yes. */
function isProvenOtherwise(
  definition: MedicationDefinition,
  proofs: ReadonlySet<SourceReference>,
  record: ClinicalRecord,
): boolean {
  return medicationSources(definition)
    .filter((source) => source === 'administration' || source === 'dispense')
    .flatMap((source) => record.byType(typeOfSource[source]) as readonly MedicationResource[])
    .some((resource) => proofs.has(record.sourceReference(resource)));
}

/** What may be moved, cancelled or fulfilled: each that may have been made by as-of and was changed since makes a guess. */
function restsOnLater<T extends Resource>(
  record: ClinicalRecord,
  timeZone: string,
  resources: readonly T[],
  madeOn: (resource: T) => string | undefined,
): boolean {
  const asOf = record.asOf.getTime();
  const isLater = laterThan(asOf, timeZone);
  return resources.some((resource) => {
    const date = madeOn(resource);
    const made = date === undefined ? undefined : instantRange(date, timeZone);
    return (made === undefined || made.start <= asOf) && isLater(resource);
  });
}

function restsOnLaterAddress(value: FeatureValue, { patient, asOf }: ClinicalRecord, timeZone: string): boolean {
  if (value.state === 'missing' || !laterThan(asOf.getTime(), timeZone)(patient)) return false;
  return patient.address?.some(({ period }) => period?.start === undefined) === true;
}

/** Whether a resource was changed after as-of, or does not say when. */
function laterThan(asOf: number, timeZone: string): (resource: Resource) => boolean {
  return ({ meta }) => {
    const changed = meta?.lastUpdated === undefined ? undefined : instantRange(meta.lastUpdated, timeZone);
    return changed === undefined || changed.start > asOf;
  };
}
