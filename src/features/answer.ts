import { compileTokens, isCoded } from '../fhir/codes.ts';
import type { AnswerDefinition } from '../model-catalog/feature-map-schema.ts';
import { type AnswerHolder, type AnswerReader, compileAnswerAgreement, compileAnswers } from './answers.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import type { MeasurementReader } from './measurements.ts';
import type { ObservationIndex } from './observation-index.ts';
import { type Agreement, compilePickOne, onlyNewest } from './pick-one.ts';
import { compileQuantity } from './quantity.ts';
import { isWithin, sameNumber } from './same-number.ts';

/** An answer, coded, true or false or a quantity, read as yes or no. A code in neither list is a reason, never a no. */
export function compileAnswer(definition: AnswerDefinition, index: ObservationIndex): FeatureExtractor {
  const { find, agree } = answerReading(definition, index, onlyNewest(definition));
  return compilePickOne(definition, find, agree);
}

/** What there is of an answer, and what of it says yes or no. */
export function answerReading(
  definition: AnswerDefinition,
  index: ObservationIndex,
  which?: 'newest',
): { readonly find: MeasurementReader<AnswerHolder>; readonly agree: Agreement<AnswerHolder> } {
  return {
    find: compileAnswers(definition, index, which),
    agree: compileAnswerAgreement(definition.label, compileYesOrNo(definition)),
  };
}

function compileYesOrNo({ yes = [], no = [], trueMeans, yesAbove }: AnswerDefinition): AnswerReader<boolean> {
  const saysYes = compileTokens(yes);
  const saysNo = compileTokens(no);
  const isAbove = yesAbove === undefined ? undefined : compileIsAbove(yesAbove);
  return ({ valueCodeableConcept: concept, valueBoolean, valueQuantity }) => {
    if (valueBoolean !== undefined && trueMeans !== undefined) return { value: valueBoolean === (trueMeans === 'yes') };
    if (valueQuantity !== undefined && isAbove !== undefined) return isAbove(valueQuantity);
    const isYes = saysYes(concept);
    const isNo = saysNo(concept);
    if (isYes && isNo) return { because: 'conflict', detail: 'its codes say both yes and no' };
    if (isYes || isNo) return { value: isYes };
    if (!isCoded(concept)) return { because: 'undecodable', detail: 'the answer is not coded' };
    return { because: 'unrecognised-answer', detail: 'the answer is in none of the declared lists' };
  };
}

/** A quantity that is above a limit is a yes; what cannot be read or true is neither. */
function compileIsAbove({ limit, unit, plausible }: NonNullable<AnswerDefinition['yesAbove']>) {
  const read = compileQuantity(unit);
  return (quantity: NonNullable<AnswerHolder['valueQuantity']>): ReturnType<AnswerReader<boolean>> => {
    const reading = read(quantity);
    if ('because' in reading) return reading;
    const { value } = reading;
    if (!isWithin(value, ...plausible))
      return { because: 'implausible', detail: `it lies outside ${plausible[0]} to ${plausible[1]} ${unit}` };
    return { value: value > limit && !sameNumber(value, limit) };
  };
}
