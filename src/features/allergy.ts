import type { AllergyIntolerance, CodeableConcept } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { AllergyDefinition } from '../model-catalog/feature-map-schema.ts';
import { compileAbsence } from './absence.ts';
import { compileUndecodable } from './decode-candidate.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import { knownAt } from './known-at.ts';
import { firstReason, pickDate, type Unread } from './pick-by-content.ts';
import { changesMeaning } from './unknown-meaning.ts';

const verificationSystem = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification';
const clinicalSystem = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical';
const isNotTrue = compileTokens(['refuted', 'entered-in-error'].map((code) => `${verificationSystem}|${code}`));
const isOver = compileTokens(['inactive', 'resolved'].map((code) => `${clinicalSystem}|${code}`));
/** SNOMED CT: no known allergy (situation). */
const noKnownAllergy = 'http://snomed.info/sct|716186003';

/**
 * An allergy or intolerance: yes where one with a listed code or substance counts at as-of; an explicit no where the record
 * says that none is known; any other no only under the conditions of absence. Both said at once is a conflict.
 */
export function compileAllergy(definition: AllergyDefinition): FeatureExtractor {
  const { label, codes, absent } = definition;
  const isListed = compileTokens(codes);
  const saysNo = compileTokens([noKnownAllergy, ...(definition.no ?? [])]);
  const isWanted = compileVerification(definition.verification);
  const undecodableBecause = compileUndecodable('allergy', codes, definition.suspectText);
  const absence = absent && compileAbsence(label, absent.encounterWithin);

  /** `yes`, `no`, a doubt about a listed one, or what forbids to assume absence; undefined for what says nothing. */
  const read = (context: ExtractionContext, allergy: AllergyIntolerance): Said | undefined => {
    if (isNotTrue(allergy.verificationStatus)) return undefined;
    const substances = allergy.reaction?.map(({ substance }) => substance) ?? [];
    const yes = [allergy.code, ...substances].some(isListed);
    const no = saysNo(allergy.code);
    if (changesMeaning(allergy) || allergy.reaction?.some(changesMeaning) === true)
      return { because: 'undecodable', detail: 'an allergy carries a modifier that is not known here' };
    const [strange] = yes || no ? [] : conceptsOf(allergy).flatMap((concept) => undecodableBecause(concept) ?? []);
    if (!yes && !no && strange === undefined) return undefined;
    const counts = isWanted(allergy);
    if (counts === false) return undefined;
    const known = knownAt(context, allergy, allergy.recordedDate);
    if (known === false) return undefined;
    if (yes && no) return { because: 'conflict', detail: 'an allergy is coded as present and as none' };
    if (strange !== undefined) return { because: 'undecodable', detail: strange };
    if (known === 'unknown')
      return { because: 'time-unknown', detail: 'whether an allergy was known at as-of is not known' };
    // A statement that there is none which is over says nothing.
    if (isOver(allergy.clinicalStatus) && (no || definition.when === 'active')) {
      const changed = context.rangeOf(allergy.meta?.lastUpdated);
      if (changed !== undefined && changed.start <= context.asOf) return undefined;
      return { because: 'status-at-time-unknown', detail: 'an allergy is over, and since when is not known' };
    }
    if (counts === 'unknown') return { because: 'undecodable', detail: 'the verification of an allergy is not known' };
    return yes ? 'yes' : 'no';
  };

  return (context) => {
    const found: AllergyIntolerance[] = [];
    const denied: AllergyIntolerance[] = [];
    const doubts: { allergy: AllergyIntolerance; why: Unread }[] = [];
    for (const allergy of context.record.byType('AllergyIntolerance')) {
      const said = read(context, allergy);
      if (said === 'yes') found.push(allergy);
      else if (said === 'no') denied.push(allergy);
      else if (said !== undefined) doubts.push({ allergy, why: said });
    }
    const sourcesOf = (some: readonly AllergyIntolerance[]) => some.map(context.record.sourceReference);
    if (found.length > 0 && denied.length > 0)
      return missing('conflict', `${label}: the record also says that there is none`, sourcesOf([...found, ...denied]));
    const said = found.length > 0 ? found : denied;
    const reason = found.length > 0 ? undefined : firstReason(doubts.map(({ why }) => why));
    if (reason !== undefined)
      return missing(reason.because, `${label}: ${reason.detail}`, sourcesOf(doubts.map(({ allergy }) => allergy)));
    if (said.length > 0) {
      const dates = said.map(
        ({ onsetDateTime, recordedDate }) => (found.length > 0 ? onsetDateTime : undefined) ?? recordedDate,
      );
      const at = pickDate(context, dates, 'earliest');
      return { state: 'observed', value: found.length > 0, ...(at && { at }), sources: sourcesOf(said) };
    }
    if (absence !== undefined) return absence(context, []);
    return missing('not-found', `no ${label} in the record`);
  };
}

type Said = 'yes' | 'no' | Unread;

/** All that may name the substance; where nothing does, that it is not named. */
function conceptsOf({ code, reaction = [] }: AllergyIntolerance): readonly (CodeableConcept | undefined)[] {
  const given = [code, ...reaction.map(({ substance }) => substance)].filter((concept) => concept !== undefined);
  return given.length === 0 ? [undefined] : given;
}

function compileVerification(
  wanted: readonly string[] | undefined,
): (allergy: AllergyIntolerance) => boolean | 'unknown' {
  if (wanted === undefined) return () => true;
  const isWanted = compileTokens(wanted.map((code) => `${verificationSystem}|${code}`));
  const isKnown = compileTokens(['confirmed', 'unconfirmed'].map((code) => `${verificationSystem}|${code}`));
  return ({ verificationStatus }) => {
    if (isWanted(verificationStatus)) return true;
    return isKnown(verificationStatus) ? false : 'unknown';
  };
}
