import type { Observation } from '@medplum/fhirtypes';
import { compileTokens, isCoded } from '../fhir/codes.ts';
import type { AnswerDefinition } from '../model-catalog/feature-map-schema.ts';
import { durationWords } from './duration-words.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';
import { isAnswered } from './measurements.ts';
import { newest, perhapsNewer } from './newest.ts';
import { observationCandidates, resultStatuses } from './observation-candidates.ts';
import type { ObservationIndex } from './observation-index.ts';
import { firstReason, mostExact, type Unread } from './pick-by-content.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** An answer, coded or true and false, read as yes or no. A code in neither list is a reason, never a no. */
export function compileAnswer(definition: AnswerDefinition, index: ObservationIndex): FeatureExtractor {
  const { trueMeans } = definition;
  const saysYes = compileTokens(definition.yes ?? []);
  const saysNo = compileTokens(definition.no ?? []);
  const statuses = definition.status ?? resultStatuses;
  const places = definition.codes.map((code) => index.placeOf(code));
  const notFound = `no ${definition.label} within ${durationWords(definition.window)} before as-of`;

  const read = (observation: Observation): boolean | Unread => {
    if (changesMeaning(observation)) {
      return { because: 'undecodable', detail: 'it carries a modifier that is not known here' };
    }
    if (observation.dataAbsentReason !== undefined) {
      return { because: 'undecodable', detail: 'it has an answer and a reason why it has none' };
    }
    const { valueCodeableConcept: concept, valueBoolean } = observation;
    if (concept !== undefined && valueBoolean !== undefined)
      return { because: 'undecodable', detail: 'it has several values' };
    if (valueBoolean !== undefined) {
      if (trueMeans === undefined) return { because: 'undecodable', detail: 'the answer is not coded' };
      return valueBoolean === (trueMeans === 'yes');
    }
    const isYes = saysYes(concept);
    const isNo = saysNo(concept);
    if (isYes && isNo) return { because: 'conflict', detail: 'its codes say both yes and no' };
    if (isYes || isNo) return isYes;
    if (!isCoded(concept)) return { because: 'undecodable', detail: 'the answer is not coded' };
    return { because: 'unrecognised-answer', detail: 'the answer is in none of the declared lists' };
  };

  return (context) => {
    const { candidates, untimed, atEdge } = observationCandidates(context, places, statuses, definition.window);
    const contenders = newest(candidates.filter(({ observation }) => isAnswered(observation)));
    const unknownTime = [...perhapsNewer(contenders, untimed), ...(contenders.length === 0 ? atEdge : [])].filter(
      ({ observation }) => isAnswered(observation),
    );
    if (unknownTime.length > 0) {
      const sources = unknownTime.map(({ observation }) => context.record.sourceReference(observation));
      return missing('time-unknown', `a ${definition.label} without a usable time may be the newest`, sources);
    }
    if (contenders.length === 0) return missing('not-found', notFound);
    const sources = contenders.map(({ observation }) => context.record.sourceReference(observation));
    let yes = false;
    let no = false;
    const unread: Unread[] = [];
    for (const { observation } of contenders) {
      const reading = read(observation);
      if (typeof reading === 'object') unread.push(reading);
      else if (reading) yes = true;
      else no = true;
    }
    const reason = firstReason(unread);
    if (reason !== undefined)
      return missing(reason.because, `the newest ${definition.label}: ${reason.detail}`, sources);
    const at = mostExact(contenders);
    if (yes && no) {
      const detail = `two different answers to ${definition.label} at the newest time`;
      return { state: 'missing', because: 'conflict', detail, ...(at === undefined ? {} : { at }), sources };
    }
    return { state: 'observed', value: yes, ...(at === undefined ? {} : { at }), sources };
  };
}
