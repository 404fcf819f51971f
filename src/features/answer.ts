import type { Observation } from '@medplum/fhirtypes';
import { hasToken, tokensOf } from '../fhir/codes.ts';
import type { AnswerDefinition } from '../model-catalog/feature-map-schema.ts';
import { durationWords } from './duration-words.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';
import type { MissingReason } from './feature-vector.ts';
import { newest, perhapsNewer } from './newest.ts';
import { observationCandidates, resultStatuses } from './observation-candidates.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** A coded answer read as yes or no. An answer in neither list is a reason, never a no. */
export function compileAnswer(definition: AnswerDefinition): FeatureExtractor {
  const yes = new Set(definition.yes);
  const no = new Set(definition.no);
  const statuses = definition.status ?? resultStatuses;

  const read = (observation: Observation): boolean | { because: MissingReason; detail: string } => {
    if (changesMeaning(observation)) {
      return { because: 'undecodable', detail: 'it carries a modifier that is not known here' };
    }
    if (observation.dataAbsentReason !== undefined) {
      return { because: 'undecodable', detail: 'it has an answer and a reason why it has none' };
    }
    const concept = observation.valueCodeableConcept;
    const isYes = hasToken(concept, yes);
    const isNo = hasToken(concept, no);
    if (isYes && isNo) return { because: 'conflict', detail: 'its codes say both yes and no' };
    if (isYes || isNo) return isYes;
    if (tokensOf(concept).length === 0) return { because: 'undecodable', detail: 'the answer is not coded' };
    return { because: 'unrecognised-answer', detail: 'the answer is in none of the declared lists' };
  };

  return (context) => {
    const { candidates, untimed } = observationCandidates(context, definition.codes, statuses, definition.window);
    const contenders = newest(candidates.filter(({ observation }) => isAnswered(observation)));
    const unknownTime = perhapsNewer(
      contenders,
      untimed.filter(({ observation }) => isAnswered(observation)),
    );
    if (unknownTime.length > 0) {
      const sources = unknownTime.map(({ observation }) => context.record.sourceReference(observation));
      return missing('time-unknown', `a ${definition.label} without a usable time may be the newest`, sources);
    }
    if (contenders.length === 0) {
      return missing('not-found', `no ${definition.label} within ${durationWords(definition.window)} before as-of`);
    }
    const sources = contenders.map(({ observation }) => context.record.sourceReference(observation));
    const values = new Set<boolean>();
    for (const { observation } of contenders) {
      const reading = read(observation);
      if (typeof reading === 'object')
        return missing(reading.because, `the newest ${definition.label}: ${reading.detail}`, sources);
      values.add(reading);
    }
    const at = contenders[0]?.at;
    if (values.size > 1) {
      const detail = `two different answers to ${definition.label} at the newest time`;
      return { state: 'missing', because: 'conflict', detail, ...(at === undefined ? {} : { at }), sources };
    }
    return { state: 'observed', value: values.has(true), ...(at === undefined ? {} : { at }), sources };
  };
}

function isAnswered(observation: Observation): boolean {
  return Object.keys(observation).some((key) => /^_?value[A-Z]/.test(key));
}
