import { compileTokens } from '../fhir/codes.ts';
import type { MedicationDefinition } from '../model-catalog/feature-map-schema.ts';
import { medicationSources, typeOfSource } from '../model-catalog/medication-schema.ts';
import { compileAbsence, type Undecodable } from './absence.ts';
import { compileSuspectText, compileUndecodable } from './decode-candidate.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';
import type { SourceReference } from './feature-vector.ts';
import { beginningOf, compileStanding } from './medication-standing.ts';
import { firstReason, pickDate, type Unread } from './pick-by-content.ts';
import { type MedicationResource, type Prescribed, prescribedIn } from './prescribed.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** Intents that count where a map names none (FHIR medicationrequest-intent): every kind of order. */
const orders: readonly string[] = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order'];

/**
 * A medication that is ordered, taken, given or dispensed at as-of, coded in place, in a contained Medication or in a
 * referenced one, by its code or by what it holds. The status is today's: FHIR keeps no status of the past.
 */
export function compileMedication(definition: MedicationDefinition): FeatureExtractor {
  const { label } = definition;
  const isListed = compileTokens(definition.codes);
  const isIngredient = compileTokens(definition.ingredients ?? []);
  const strangeBecause =
    definition.ingredients && compileUndecodable('ingredient', definition.ingredients, definition.suspectText);
  const suspectIn = compileSuspectText(definition.suspectText);
  const isWanted = ({ concept, ingredients }: Prescribed): boolean =>
    isListed(concept) || ingredients.some(isIngredient);
  const intents: readonly string[] = definition.intent ?? orders;
  const read = medicationSources(definition).map((source) => ({
    type: typeOfSource[source],
    standingAt: compileStanding(definition, source),
  }));
  const undecodableBecause = compileUndecodable('medication', definition.codes, definition.suspectText);
  const absent = compileAbsence(label, definition.absent.encounterWithin);

  /** Why a medication that is not of the list, or not surely, cannot be read as another one. */
  const undecodable = (resource: MedicationResource, medication: Prescribed): string | undefined => {
    if (changesMeaning(resource)) return 'a medication order carries a modifier that is not known here';
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
    const found: { at: string | undefined; sources: SourceReference[] }[] = [];
    const doubtful: (Unread & { readonly source: SourceReference })[] = [];
    const others: { resource: MedicationResource; medication: Prescribed }[] = [];
    for (const { type, standingAt } of read) {
      for (const resource of context.record.byType(type) as readonly MedicationResource[]) {
        if (resource.resourceType === 'MedicationRequest') {
          if (resource.doNotPerform === true || !intents.includes(resource.intent)) continue;
        }
        const standing = standingAt(context, resource);
        if (standing === 'does-not-hold') continue;
        const medication = prescribedIn(context, resource);
        if (changesMeaning(resource) || !isWanted(medication)) {
          others.push({ resource, medication });
          continue;
        }
        const source = context.record.sourceReference(resource);
        if (standing === 'holds') found.push({ at: beginningOf(resource), sources: [source, ...medication.sources] });
        else doubtful.push({ ...standing, source });
      }
    }
    if (found.length > 0) {
      const dates = found.map(({ at }) => at);
      const at = pickDate(context, dates, 'latest');
      const sources = found.flatMap((each) => each.sources);
      return { state: 'observed', value: true, ...(at === undefined ? {} : { at }), sources };
    }
    // An unknown status is as undecodable as an unknown code.
    const untimed = doubtful.filter(({ because }) => because !== 'undecodable');
    const first = firstReason(untimed);
    if (first !== undefined) {
      const alike = untimed.filter(({ because }) => because === first.because);
      const sources = alike.map(({ source }) => source);
      return missing(first.because, `${label}: ${first.detail}`, sources);
    }
    const unread: Undecodable[] = doubtful.map(({ detail, source }) => ({ source, why: detail }));
    for (const { resource, medication } of others) {
      const why = undecodable(resource, medication);
      if (why !== undefined) unread.push({ source: context.record.sourceReference(resource), why });
    }
    return absent(context, unread);
  };
}
