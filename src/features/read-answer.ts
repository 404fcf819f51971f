import type { QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { compileTokens, type TokenTest } from '../fhir/codes.ts';
import { ucumSystem } from '../fhir/ucum.ts';
import type { QuestionnaireDefinition } from '../model-catalog/feature-map-schema.ts';
import type { FeatureScalar, OriginalValue } from './feature-vector.ts';
import type { Unread } from './pick-by-content.ts';
import { compileQuantity } from './quantity.ts';
import { hasSeveralValues } from './value-elements.ts';

export interface ReadAnswer {
  readonly value: FeatureScalar;
  readonly original?: OriginalValue;
}

/** Reads one answer that was given as the value of the feature, or says why it cannot be read. */
export type AnswerReader = (answer: QuestionnaireResponseItemAnswer) => ReadAnswer | Unread;

/** @throws RangeError where the unit is no UCUM code */
export function compileAnswerReader(definition: QuestionnaireDefinition): AnswerReader {
  const read =
    definition.unit === undefined ? compileCoded(definition) : compileNumber(definition.unit, definition.numbers?.unit);
  return (answer) => {
    if (hasSeveralValues(answer)) return { because: 'undecodable', detail: 'an answer has several values' };
    return read(answer);
  };
}

function compileNumber(unit: string, declared: string | undefined): AnswerReader {
  const quantityIn = compileQuantity(unit);
  return ({ valueQuantity, valueDecimal, valueInteger }) => {
    const bare = valueDecimal ?? valueInteger;
    if (bare !== undefined && declared === undefined)
      return { because: 'unit-missing', detail: `the answer has no unit; ${unit} is needed` };
    const quantity = bare === undefined ? valueQuantity : { value: bare, system: ucumSystem, code: declared };
    if (quantity === undefined) return { because: 'not-numeric', detail: 'the answer is no number' };
    return quantityIn(quantity);
  };
}

function compileCoded({ yes = [], no = [], trueMeans, vocabulary }: QuestionnaireDefinition): AnswerReader {
  const tests: [FeatureScalar, TokenTest][] =
    vocabulary === undefined
      ? [
          [true, compileTokens(yes)],
          [false, compileTokens(no)],
        ]
      : Object.entries(vocabulary).map(([code, tokens]) => [code, compileTokens(tokens)]);
  return ({ valueBoolean, valueCoding }) => {
    if (valueBoolean !== undefined && trueMeans !== undefined) return { value: valueBoolean === (trueMeans === 'yes') };
    if (valueCoding?.code === undefined || valueCoding.system === undefined)
      return { because: 'undecodable', detail: 'the answer is not coded' };
    const concept = { coding: [valueCoding] };
    const found = tests.find(([, isListed]) => isListed(concept));
    if (found === undefined)
      return { because: 'unrecognised-answer', detail: 'the answer is in none of the declared lists' };
    return { value: found[0] };
  };
}
