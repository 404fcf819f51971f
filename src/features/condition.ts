import type { Condition } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { ConditionDefinition } from '../model-catalog/feature-map-schema.ts';
import { compileAbsence, type Undecodable } from './absence.ts';
import { compileUndecodable } from './decode-candidate.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import { pickDate } from './pick-by-content.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVagueAt } from './vague-time.ts';

const verificationSystem = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';
const isNotTrue = compileTokens([`${verificationSystem}|refuted`, `${verificationSystem}|entered-in-error`]);
const clinicalSystem = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const isOver = compileTokens(['inactive', 'remission', 'resolved'].map((code) => `${clinicalSystem}|${code}`));
const isBack = compileTokens(['recurrence', 'relapse'].map((code) => `${clinicalSystem}|${code}`));

/** Where the standing is not known: why, in words, and what of it is not known, the time or the status at that time. */
type Doubt = { readonly unknown: string; readonly because: 'time-unknown' | 'status-at-time-unknown' };
type Standing = 'holds' | 'does-not-hold' | Doubt;

/** A diagnosis: yes when the record holds one that counts at as-of; no only under the conditions of absence. */
export function compileCondition(definition: ConditionDefinition): FeatureExtractor {
  const isListed = compileTokens(definition.codes);
  const undecodableBecause = compileUndecodable('diagnosis', definition.codes, definition.suspectText);
  const absent = compileAbsence(definition.label, definition.absent.encounterWithin);

  /** Asked only where no diagnosis of the list was found: then each of the others must be understood. */
  const undecodableAmong = (context: ExtractionContext, conditions: readonly Condition[]): Undecodable[] => {
    const undecodable: Undecodable[] = [];
    for (const condition of conditions) {
      const modified = changesMeaning(condition);
      const why = modified
        ? 'a diagnosis carries a modifier that is not known here'
        : undecodableBecause(condition.code);
      if (why === undefined || (!modified && standingAt(context, condition, definition.when) === 'does-not-hold'))
        continue;
      undecodable.push({ source: context.record.sourceReference(condition), why });
    }
    return undecodable;
  };

  return (context) => {
    const found: Condition[] = [];
    const doubtful: { condition: Condition; doubt: Doubt }[] = [];
    const others: Condition[] = [];
    for (const condition of context.record.byType('Condition')) {
      if (changesMeaning(condition) || !isListed(condition.code)) {
        others.push(condition);
        continue;
      }
      const standing = standingAt(context, condition, definition.when);
      if (standing === 'holds') found.push(condition);
      else if (standing !== 'does-not-hold') doubtful.push({ condition, doubt: standing });
    }
    if (found.length > 0) {
      const dates = found.map(({ onsetDateTime, recordedDate }) => onsetDateTime ?? recordedDate);
      const at = pickDate(context, dates, 'earliest');
      return {
        state: 'observed',
        value: true,
        ...(at === undefined ? {} : { at }),
        sources: found.map(context.record.sourceReference),
      };
    }
    const [first] = doubtful
      .map(({ doubt }) => doubt)
      .toSorted((one, other) => (one.unknown < other.unknown ? -1 : Number(one.unknown > other.unknown)));
    if (first !== undefined) {
      return missing(
        first.because,
        `${definition.label}: ${first.unknown}`,
        doubtful.map(({ condition }) => context.record.sourceReference(condition)),
      );
    }
    return absent(context, undecodableAmong(context, others));
  };
}

/**
 * Did this condition hold at as-of? Onset, else the date it was recorded, must lie at or before as-of. One that began
 * before and was recorded only later was not known then: neither a yes nor a no.
 */
function standingAt(context: ExtractionContext, condition: Condition, when: 'active' | 'ever'): Standing {
  if (isNotTrue(condition.verificationStatus)) return 'does-not-hold';
  const recorded = context.rangeOf(condition.recordedDate);
  const onset = context.rangeOf(condition.onsetDateTime ?? condition.onsetPeriod?.start);
  const began = onset ?? recorded;
  if (began === undefined) return timeUnknown('a diagnosis has neither an onset nor a recorded date');
  if (onset === undefined && hasOtherOnset(condition) && began.start > context.asOf) {
    return timeUnknown('a diagnosis with an onset that is no date was recorded only after as-of');
  }
  if (began.start > context.asOf) return 'does-not-hold';
  if (recorded !== undefined && recorded.start > context.asOf) {
    return timeUnknown('a diagnosis with an earlier onset was recorded only after as-of');
  }
  // A record that was made by then shows that it had begun, however vague the onset.
  if (isVagueAt(context.asOf, began) && (recorded === undefined || isVagueAt(context.asOf, recorded))) {
    return timeUnknown('whether a diagnosis had begun at as-of cannot be told from its onset');
  }
  return when === 'ever' ? 'holds' : activeAt(context, condition);
}

/** An onset that is no date, or a period without a beginning: it may lie before the condition was recorded. */
function hasOtherOnset({ onsetAge, onsetRange, onsetString, onsetPeriod }: Condition): boolean {
  return [onsetAge, onsetRange, onsetString, onsetPeriod].some((onset) => onset !== undefined);
}

/** An abatement known to the day or the year may lie on either side of as-of. */
function activeAt(context: ExtractionContext, condition: Condition): Standing {
  const { abatementDateTime, abatementPeriod } = condition;
  const earliest = context.rangeOf(abatementDateTime ?? abatementPeriod?.start);
  const latest = abatementPeriod === undefined ? earliest : context.rangeOf(abatementPeriod.end);
  if (earliest !== undefined && earliest.start >= context.asOf) return 'holds';
  if (latest !== undefined && latest.end <= context.asOf) return 'does-not-hold';
  if (abatementDateTime !== undefined || abatementPeriod !== undefined) {
    return statusUnknown('whether a diagnosis had ended at as-of cannot be told from its abatement');
  }
  const saysOver =
    isOver(condition.clinicalStatus) ||
    condition.abatementString !== undefined ||
    condition.abatementAge !== undefined ||
    condition.abatementRange !== undefined;
  const changed = context.rangeOf(condition.meta?.lastUpdated);
  if (!saysOver) {
    const cameBackLater = isBack(condition.clinicalStatus) && changed !== undefined && changed.start > context.asOf;
    return cameBackLater ? statusUnknown('a diagnosis came back, and may have been over at as-of') : 'holds';
  }
  // It is over today. Whether it was over at as-of is known only if the record has not changed since.
  return changed !== undefined && changed.start <= context.asOf
    ? 'does-not-hold'
    : statusUnknown('a diagnosis ended at an unknown time');
}

function timeUnknown(unknown: string): Doubt {
  return { unknown, because: 'time-unknown' };
}

function statusUnknown(unknown: string): Doubt {
  return { unknown, because: 'status-at-time-unknown' };
}
