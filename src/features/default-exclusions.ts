import type { Consent, ConsentProvision, Group } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import { instantRange } from '../fhir/instant-range.ts';
import { optOutToken } from '../model-catalog/record-queries.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { SourceReference } from './feature-vector.ts';

/** Why no model may speak about this subject at all. */
export interface Exclusion {
  readonly reason: 'deceased' | 'inactive' | 'merged' | 'opted-out';
  readonly message: string;
  readonly sources: readonly SourceReference[];
}

const isOptOutCategory = compileTokens([
  'http://terminology.hl7.org/CodeSystem/v3-ActCode|OPTOUT',
  'http://terminology.hl7.org/CodeSystem/v3-ActCode|OPTOUTE',
  'https://fhirsight.org/fhir/CodeSystem/consent-category|prediction-opt-out',
]);
const isOptOutGroup = compileTokens([optOutToken]);

/** Exclusions of every model: deceased at as-of, inactive or merged record, opted out by Consent or Group. */
export function defaultExclusions(record: ClinicalRecord, asOf: number, timeZone: string): Exclusion[] {
  const { patient } = record;
  const sources = [record.sourceReference(patient)];
  const exclusions: Exclusion[] = [];
  const died = patient.deceasedDateTime === undefined ? undefined : instantRange(patient.deceasedDateTime, timeZone);
  // Without a readable date the death may lie before as-of.
  const deceased =
    patient.deceasedBoolean === true ||
    (patient.deceasedDateTime !== undefined && (died === undefined || died.start <= asOf));
  if (deceased) exclusions.push({ reason: 'deceased', message: 'the patient is deceased at as-of', sources });
  if (patient.active === false)
    exclusions.push({ reason: 'inactive', message: 'the patient record is not active', sources });
  if (patient.link?.some(({ type }) => type === 'replaced-by') === true) {
    exclusions.push({
      reason: 'merged',
      message: 'the patient record was merged into another; ask for that one',
      sources,
    });
  }
  const optedOut = [
    ...record.byType('Consent').filter((consent) => isOptOut(consent, asOf, timeZone)),
    ...record.byType('Group').filter((group) => isOptOutMember(group, record)),
  ];
  if (optedOut.length > 0) {
    exclusions.push({
      reason: 'opted-out',
      message: 'the patient opted out of predictions',
      sources: optedOut.map(record.sourceReference),
    });
  }
  return exclusions;
}

/**
 * An active Consent in an opt-out category, or one that denies without naming an actor, a purpose, data or an action. It
 * forbids computing, whatever the as-of: only a period that was over by then sets the patient free.
 */
function isOptOut(consent: Consent, asOf: number, timeZone: string): boolean {
  if (consent.status !== 'active') return false;
  const { provision } = consent;
  const ends = provision?.period?.end === undefined ? undefined : instantRange(provision.period.end, timeZone);
  if (ends !== undefined && ends.end <= asOf) return false;
  const saysOptOut = [...consent.category, consent.policyRule].some(isOptOutCategory);
  if (saysOptOut) return provision?.type !== 'permit';
  // R4 puts the exceptions to the base policy into nested provisions; some servers put the type on the outer one.
  return [provision ?? {}, ...(provision?.provision ?? [])].some(deniesEverything);
}

function deniesEverything({ type, actor, action, purpose, class: kind, code, data }: ConsentProvision): boolean {
  return type === 'deny' && [actor, action, purpose, kind, code, data].every((limit) => limit === undefined);
}

function isOptOutMember(group: Group, record: ClinicalRecord): boolean {
  if (group.active === false || !isOptOutGroup(group.code)) return false;
  return (group.member ?? []).some(({ inactive, entity }) => inactive !== true && record.isSubject(entity.reference));
}
