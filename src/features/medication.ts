import type { CodeableConcept, Medication, MedicationRequest } from '@medplum/fhirtypes';
import { hasToken } from '../fhir/codes.ts';
import type { MedicationDefinition } from '../model-catalog/feature-map-schema.ts';
import { compileAbsence, type Undecodable } from './absence.ts';
import { compileUndecodable } from './decode-candidate.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { SourceReference } from './feature-vector.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVagueAt } from './vague-time.ts';

/** Intents that do not yet mean that the patient takes it (FHIR medicationrequest-intent). */
const notOrdered: readonly string[] = ['proposal', 'plan', 'option'];

/**
 * A medication order whose status counts and that was written at or before as-of, coded in place, in a contained
 * Medication or in a referenced one. The status is today's: FHIR keeps no status of the past.
 */
export function compileMedication(definition: MedicationDefinition): FeatureExtractor {
  const codes = new Set(definition.codes);
  const undecodableBecause = compileUndecodable('medication', codes, definition.suspectText);
  const absent = compileAbsence(definition.label, definition.absent.encounterWithin);

  return (context) => {
    const found: { at?: string; sources: SourceReference[] }[] = [];
    const untimed: SourceReference[] = [];
    const undecodable: Undecodable[] = [];
    for (const request of context.record.byType('MedicationRequest')) {
      const counts = definition.status.includes(request.status);
      // `unknown` says that its author does not know: neither a yes nor a no.
      if (!counts && request.status !== 'unknown') continue;
      if (request.doNotPerform === true || notOrdered.includes(request.intent)) continue;
      const written = context.rangeOf(request.authoredOn);
      if (written !== undefined && written.start > context.asOf) continue;
      const source = context.record.sourceReference(request);
      const medication = medicationOf(context, request);
      if (changesMeaning(request)) {
        undecodable.push({ source, why: 'a medication order carries a modifier that is not known here' });
      } else if (medication.concept === undefined) {
        undecodable.push({ source, why: medication.because });
      } else if (hasToken(medication.concept, codes)) {
        if (!counts) undecodable.push({ source, why: 'the status of an order is unknown' });
        else if (written === undefined || isVagueAt(context.asOf, written)) untimed.push(source);
        else found.push({ at: request.authoredOn, sources: [source, ...medication.sources] });
      } else {
        const why = undecodableBecause(medication.concept);
        if (why !== undefined) undecodable.push({ source, why });
      }
    }
    const [first] = found;
    if (first !== undefined) {
      return {
        state: 'observed',
        value: true,
        ...(first.at === undefined ? {} : { at: first.at }),
        sources: found.flatMap(({ sources }) => sources),
      };
    }
    if (untimed.length > 0)
      return missing('time-unknown', `${definition.label}: an order has no authoredOn, or one too vague`, untimed);
    return absent(context, undecodable);
  };
}

type Prescribed =
  | { readonly concept: CodeableConcept; readonly sources: SourceReference[] }
  | { readonly concept: undefined; readonly because: string };

function medicationOf(context: ExtractionContext, request: MedicationRequest): Prescribed {
  if (request.medicationCodeableConcept !== undefined)
    return { concept: request.medicationCodeableConcept, sources: [] };
  const reference = request.medicationReference?.reference;
  const contained = reference?.startsWith('#') === true;
  const medication = contained
    ? request.contained?.find(
        (resource): resource is Medication =>
          resource.resourceType === 'Medication' && resource.id === reference?.slice(1),
      )
    : context.record.medication(reference ?? '');
  if (medication?.code === undefined) {
    return { concept: undefined, because: 'a medication reference could not be resolved to a code' };
  }
  if (changesMeaning(medication) || medication.status === 'entered-in-error') {
    return { concept: undefined, because: 'an ordered Medication is entered in error, or carries an unknown modifier' };
  }
  return { concept: medication.code, sources: contained ? [] : [context.record.sourceReference(medication)] };
}
