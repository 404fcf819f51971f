import type { CodeableConcept, Medication, MedicationRequest } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { MedicationDefinition } from '../model-catalog/feature-map-schema.ts';
import { compileAbsence, type Undecodable } from './absence.ts';
import { compileSuspectText, compileUndecodable } from './decode-candidate.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { SourceReference } from './feature-vector.ts';
import { pickDate } from './pick-by-content.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVagueAt } from './vague-time.ts';

/** Intents that count where a map names none (FHIR medicationrequest-intent): every kind of order. */
const orders: readonly string[] = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order'];

/**
 * A medication order whose status counts and that was written at or before as-of, coded in place, in a contained
 * Medication or in a referenced one, by its code or by what it holds. The status is today's: FHIR keeps no status of the
 * past.
 */
export function compileMedication(definition: MedicationDefinition): FeatureExtractor {
  const isListed = compileTokens(definition.codes);
  const isIngredient = compileTokens(definition.ingredients ?? []);
  const strangeBecause =
    definition.ingredients && compileUndecodable('ingredient', definition.ingredients, definition.suspectText);
  const suspectIn = compileSuspectText(definition.suspectText);
  const isWanted = ({ concept, ingredients }: Prescribed): boolean =>
    isListed(concept) || ingredients.some(isIngredient);
  const intents: readonly string[] = definition.intent ?? orders;
  const undecodableBecause = compileUndecodable('medication', definition.codes, definition.suspectText);
  const absent = compileAbsence(definition.label, definition.absent.encounterWithin);

  /** Why an order that is not of the list, or not surely, cannot be read as another one. */
  const undecodable = (request: MedicationRequest, medication: Prescribed): string | undefined => {
    if (changesMeaning(request)) return 'a medication order carries a modifier that is not known here';
    if (isWanted(medication)) return 'the status of an order is unknown';
    const { concept, ingredients, because } = medication;
    const ingredient = strangeBecause && ingredients.map(suspectIn).find((suspect) => typeof suspect === 'object');
    if (typeof ingredient === 'object')
      return `an ingredient reads '${ingredient.word}', but its code is not in the list`;
    const why = concept === undefined ? because : undecodableBecause(concept);
    if (why === undefined || strangeBecause === undefined || ingredients.length === 0) return why;
    // What is made of understood ingredients alone is understood, unless it is called by a name that is watched for.
    const suspect = suspectIn(concept);
    if (suspect !== undefined && suspect !== 'no-text')
      return `a medication reads '${suspect.word}', but its code is not in the list`;
    return ingredients.every((ingredient) => strangeBecause(ingredient) === undefined) ? undefined : why;
  };

  return (context) => {
    const found: { at?: string; sources: SourceReference[] }[] = [];
    const untimed: SourceReference[] = [];
    const others: { request: MedicationRequest; medication: Prescribed }[] = [];
    for (const request of context.record.byType('MedicationRequest')) {
      const counts = definition.status.includes(request.status);
      // `unknown` says that its author does not know: neither a yes nor a no.
      if (!counts && request.status !== 'unknown') continue;
      if (request.doNotPerform === true || !intents.includes(request.intent)) continue;
      const written = context.rangeOf(request.authoredOn);
      if (written !== undefined && written.start > context.asOf) continue;
      const medication = medicationOf(context, request);
      if (!counts || changesMeaning(request) || !isWanted(medication)) {
        others.push({ request, medication });
        continue;
      }
      const source = context.record.sourceReference(request);
      if (written === undefined || isVagueAt(context.asOf, written)) untimed.push(source);
      else found.push({ at: request.authoredOn, sources: [source, ...medication.sources] });
    }
    if (found.length > 0) {
      const at = pickDate(
        context,
        found.map((order) => order.at),
        'latest',
      );
      return {
        state: 'observed',
        value: true,
        ...(at === undefined ? {} : { at }),
        sources: found.flatMap(({ sources }) => sources),
      };
    }
    if (untimed.length > 0)
      return missing('time-unknown', `${definition.label}: an order has no authoredOn, or one too vague`, untimed);
    const unread: Undecodable[] = [];
    for (const { request, medication } of others) {
      const why = undecodable(request, medication);
      if (why !== undefined) unread.push({ source: context.record.sourceReference(request), why });
    }
    return absent(context, unread);
  };
}

/** The medication of an order, or why it is not known. */
interface Prescribed {
  readonly concept: CodeableConcept | undefined;
  /** Its active ingredients; undefined for one that is named by a reference alone. */
  readonly ingredients: readonly (CodeableConcept | undefined)[];
  readonly because: string;
  readonly sources: readonly SourceReference[];
}

const inPlace: readonly SourceReference[] = [];
const notKnown: Prescribed['ingredients'] = [];

function medicationOf(context: ExtractionContext, request: MedicationRequest): Prescribed {
  if (request.medicationCodeableConcept !== undefined)
    return { concept: request.medicationCodeableConcept, ingredients: notKnown, because: '', sources: inPlace };
  const reference = request.medicationReference?.reference;
  const contained = reference?.startsWith('#') === true;
  const medication = contained
    ? request.contained?.find(
        (resource): resource is Medication =>
          resource.resourceType === 'Medication' && resource.id === reference?.slice(1),
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
