import type { Condition } from '@medplum/fhirtypes';
import { hasToken, textOf, tokensOf } from '../fhir/codes.ts';
import { instantRange } from '../fhir/instant-range.ts';
import type { ConditionDefinition } from '../model-catalog/feature-map-schema.ts';
import { assumeAbsent, type Undecodable } from './absence.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';

const verificationSystem = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';
const notTrue: ReadonlySet<string> = new Set([
  `${verificationSystem}|refuted`,
  `${verificationSystem}|entered-in-error`,
]);
const clinicalSystem = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const over: ReadonlySet<string> = new Set(
  ['inactive', 'remission', 'resolved'].map((code) => `${clinicalSystem}|${code}`),
);

type Standing = 'holds' | 'does-not-hold' | { readonly unknown: string };

/** A diagnosis: yes when the record holds one that counts at as-of; no only under the conditions of absence. */
export function compileCondition(definition: ConditionDefinition): FeatureExtractor {
  const codes = new Set(definition.codes);
  const suspectText = (definition.suspectText ?? []).map((text) => text.toLowerCase());

  return (context) => {
    const found: Condition[] = [];
    const doubtful: { condition: Condition; why: string }[] = [];
    const undecodable: Undecodable[] = [];
    for (const condition of context.record.byType('Condition')) {
      const standing = standingAt(context, condition, definition.when);
      if (standing === 'does-not-hold') continue;
      if (hasToken(condition.code, codes)) {
        if (standing === 'holds') found.push(condition);
        else doubtful.push({ condition, why: standing.unknown });
        continue;
      }
      const why = undecodableBecause(condition, suspectText);
      if (why !== undefined) undecodable.push({ source: context.record.sourceReference(condition), why });
    }
    if (found.length > 0) {
      const at = found
        .map(({ onsetDateTime, recordedDate }) => onsetDateTime ?? recordedDate)
        .find((date) => date !== undefined);
      return {
        state: 'observed',
        value: true,
        ...(at === undefined ? {} : { at }),
        sources: found.map(context.record.sourceReference),
      };
    }
    const [doubt] = doubtful;
    if (doubt !== undefined) {
      return missing(
        'time-unknown',
        `${definition.label}: ${doubt.why}`,
        doubtful.map(({ condition }) => context.record.sourceReference(condition)),
      );
    }
    return assumeAbsent(context, definition.label, definition.absent.encounterWithin, undecodable);
  };
}

/** Did this condition hold, and was it known, at as-of? Onset, else the date it was recorded, must lie at or before as-of. */
function standingAt(context: ExtractionContext, condition: Condition, when: 'active' | 'ever'): Standing {
  if (hasToken(condition.verificationStatus, notTrue)) return 'does-not-hold';
  const recorded = instantOf(condition.recordedDate, context.timeZone);
  if (recorded !== undefined && recorded > context.asOf) return 'does-not-hold';
  const began = instantOf(condition.onsetDateTime ?? condition.onsetPeriod?.start, context.timeZone) ?? recorded;
  if (began === undefined) return { unknown: 'a diagnosis has neither an onset nor a recorded date' };
  if (began > context.asOf) return 'does-not-hold';
  if (when === 'ever') return 'holds';
  const ended = instantOf(condition.abatementDateTime ?? condition.abatementPeriod?.start, context.timeZone);
  if (ended !== undefined) return ended < context.asOf ? 'does-not-hold' : 'holds';
  const saysOver =
    hasToken(condition.clinicalStatus, over) ||
    condition.abatementString !== undefined ||
    condition.abatementAge !== undefined ||
    condition.abatementRange !== undefined;
  if (!saysOver) return 'holds';
  // It is over today. Whether it was over at as-of is known only if the record has not changed since.
  const changed = instantOf(condition.meta?.lastUpdated, context.timeZone);
  return changed !== undefined && changed <= context.asOf
    ? 'does-not-hold'
    : { unknown: 'a diagnosis ended at an unknown time' };
}

function undecodableBecause(condition: Condition, suspectText: readonly string[]): string | undefined {
  if (tokensOf(condition.code).length === 0) return 'a diagnosis has no coding with a system';
  const text = textOf(condition.code);
  const suspect = suspectText.find((word) => text.includes(word));
  return suspect === undefined ? undefined : `a diagnosis reads '${suspect}', but its code is not in the list`;
}

function instantOf(value: string | undefined, timeZone: string): number | undefined {
  return value === undefined ? undefined : instantRange(value, timeZone)?.start;
}
