import type { FamilyMemberHistory, FamilyMemberHistoryCondition } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { FamilyHistoryDefinition } from '../model-catalog/feature-map-schema.ts';
import { compileAbsence } from './absence.ts';
import { compileUndecodable } from './decode-candidate.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import { knownAt } from './known-at.ts';
import { beganBefore } from './onset-age.ts';
import { firstReason, pickDate, type Unread } from './pick-by-content.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** What one history says: yes, a doubt, or that it is a whole history of such a relative without the disease. */
type Said = 'yes' | 'without' | Unread;

/**
 * A disease of a relative. Yes where a history that was known at as-of names it for a relative who counts, early enough.
 * No only under the conditions of absence, and where a completed history of such a relative does not name it: a record
 * without any family history says nothing.
 */
export function compileFamilyHistory(definition: FamilyHistoryDefinition): FeatureExtractor {
  const { label, codes, relationships, absent } = definition;
  const isListed = compileTokens(codes);
  const relativeOf = compileRelative(relationships);
  const readCondition = compileConditionReader(definition);
  const strangeBecause = compileUndecodable('disease of a relative', codes, definition.suspectText);
  const absence = absent && compileAbsence(label, absent.encounterWithin);
  const notFound = missing('not-found', `no history of a relative that says whether there was ${label}`);

  const read = (context: ExtractionContext, history: FamilyMemberHistory): Said | undefined => {
    if (history.status === 'entered-in-error') return undefined;
    const isRelative = relativeOf(history);
    if (isRelative === false) return undefined;
    const known = knownAt(context, history, history.date);
    if (known === false) return undefined;
    if (changesMeaning(history))
      return { because: 'undecodable', detail: 'a family history carries a modifier that is not known here' };
    const verdicts = (history.condition ?? []).map(readCondition);
    const isYes = verdicts.includes('yes');
    if (known === 'unknown')
      return { because: 'time-unknown', detail: 'whether a family history was known at as-of is not known' };
    const [strange] = (history.condition ?? []).flatMap(({ code }) =>
      isListed(code) ? [] : (strangeBecause(code) ?? []),
    );
    if (isRelative === 'unknown') {
      const says = strange !== undefined || verdicts.some((verdict) => verdict !== 'no');
      return says
        ? { because: 'undecodable', detail: 'it is not understood which relative a history is about' }
        : undefined;
    }
    if (isYes) return 'yes';
    const doubt = firstReason(verdicts.filter((verdict) => typeof verdict === 'object'));
    if (doubt !== undefined) return doubt;
    if (strange !== undefined) return { because: 'undecodable', detail: strange };
    if (history.dataAbsentReason !== undefined)
      return { because: 'undecodable', detail: 'a family history says that it is not known or withheld' };
    if (history.status === 'completed') return 'without';
    return { because: 'undecodable', detail: `a family history is ${history.status}: what it does not name may be so` };
  };

  return (context) => {
    const found: FamilyMemberHistory[] = [];
    const without: FamilyMemberHistory[] = [];
    const doubts: { history: FamilyMemberHistory; why: Unread }[] = [];
    for (const history of context.record.byType('FamilyMemberHistory')) {
      const said = read(context, history);
      if (said === 'yes') found.push(history);
      else if (said === 'without') without.push(history);
      else if (said !== undefined) doubts.push({ history, why: said });
    }
    const sourcesOf = (some: readonly FamilyMemberHistory[]) => some.map(context.record.sourceReference);
    if (found.length > 0) {
      const at = pickDate(
        context,
        found.map(({ date }) => date),
        'earliest',
      );
      return { state: 'observed', value: true, ...(at && { at }), sources: sourcesOf(found) };
    }
    const reason = firstReason(doubts.map(({ why }) => why));
    if (reason !== undefined)
      return missing(reason.because, `${label}: ${reason.detail}`, sourcesOf(doubts.map(({ history }) => history)));
    if (without.length === 0 || absence === undefined) return notFound;
    const value = absence(context, []);
    return value.state === 'assumed-absent' ? { ...value, sources: [...sourcesOf(without), ...value.sources] } : value;
  };
}

function compileRelative(
  relationships: readonly string[] | undefined,
): (history: FamilyMemberHistory) => boolean | 'unknown' {
  if (relationships === undefined) return () => true;
  const isWanted = compileTokens(relationships);
  const strangeBecause = compileUndecodable('relationship', relationships);
  return ({ relationship }) => {
    if (isWanted(relationship)) return true;
    return strangeBecause(relationship) === undefined ? false : 'unknown';
  };
}

function compileConditionReader({
  codes,
  onsetBefore,
}: FamilyHistoryDefinition): (condition: FamilyMemberHistoryCondition) => 'yes' | 'no' | Unread {
  const isListed = compileTokens(codes);
  return (condition) => {
    if (changesMeaning(condition))
      return { because: 'undecodable', detail: 'a disease of a relative carries a modifier that is not known here' };
    if (!isListed(condition.code)) return 'no';
    const began = onsetBefore === undefined ? true : beganBefore(condition, onsetBefore);
    if (began === 'unknown')
      return { because: 'time-unknown', detail: `whether it began before the age of ${onsetBefore} is not known` };
    return began ? 'yes' : 'no';
  };
}
