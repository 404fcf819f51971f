import type {
  CodeableConcept,
  Medication,
  MedicationAdministration,
  MedicationDispense,
  MedicationRequest,
  MedicationStatement,
} from '@medplum/fhirtypes';
import type { ExtractionContext } from './feature-extractor.ts';
import type { SourceReference } from './feature-vector.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** A resource that says of a medication that the patient takes it, or is to take it. */
export type MedicationResource =
  | MedicationRequest
  | MedicationStatement
  | MedicationAdministration
  | MedicationDispense;

/** The medication of such a resource, or why it is not known. */
export interface Prescribed {
  readonly concept: CodeableConcept | undefined;
  /** Its active ingredients; undefined for one that is named by a reference alone. */
  readonly ingredients: readonly (CodeableConcept | undefined)[];
  readonly because: string;
  readonly sources: readonly SourceReference[];
}

const inPlace: readonly SourceReference[] = [];
const notKnown: Prescribed['ingredients'] = [];

/** Coded in place, in a contained Medication or in one of the record. */
export function prescribedIn(context: ExtractionContext, resource: MedicationResource): Prescribed {
  if (resource.medicationCodeableConcept !== undefined)
    return { concept: resource.medicationCodeableConcept, ingredients: notKnown, because: '', sources: inPlace };
  const reference = resource.medicationReference?.reference;
  const contained = reference?.startsWith('#') === true;
  const medication = contained
    ? resource.contained?.find(
        (each): each is Medication => each.resourceType === 'Medication' && each.id === reference?.slice(1),
      )
    : context.record.medication(reference ?? '');
  const ingredients = medication?.ingredient?.filter(({ isActive }) => isActive !== false) ?? [];
  if (medication === undefined || (medication.code === undefined && ingredients.length === 0))
    return unknown('a medication reference could not be resolved to a code');
  if (changesMeaning(medication) || medication.status === 'entered-in-error') {
    return unknown('an ordered Medication is entered in error, or carries an unknown modifier');
  }
  const sources = contained ? inPlace : [context.record.sourceReference(medication)];
  return {
    concept: medication.code,
    ingredients: ingredients.map(({ itemCodeableConcept }) => itemCodeableConcept),
    because: 'an ordered Medication has no code, and not all that it holds is known',
    sources,
  };
}

function unknown(because: string): Prescribed {
  return { concept: undefined, ingredients: notKnown, because, sources: inPlace };
}
