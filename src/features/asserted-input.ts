import type { Quantity } from '@medplum/fhirtypes';
import { isPlainNumber } from '../fhir/plain-number.ts';
import { PredictionError } from '../platform/errors.ts';
import type { CompiledFeature, CompiledFeatureMap } from './compile-feature-map.ts';
import type { FeatureScalar, FeatureValue } from './feature-vector.ts';
import { compileQuantity } from './quantity.ts';
import { isWithin } from './same-number.ts';

/** A value the caller asserts for one feature: "what if the blood pressure were 120". */
export interface AssertedInput {
  readonly name: string;
  /** A number in the feature's own unit, a Quantity, yes or no, or a code of the feature's vocabulary. */
  readonly value: number | boolean | string | Quantity;
  /** Where in the caller's message it stands (FHIRPath), for errors. */
  readonly expression?: string;
}

/**
 * Reads asserted inputs as feature values.
 * Throws PARAMETER_INVALID for an unknown or repeated feature, a value of the wrong type, an inconvertible unit or an implausible value.
 */
export function readAssertedInputs(
  inputs: readonly AssertedInput[],
  compiled: CompiledFeatureMap,
): Map<string, FeatureValue> {
  const asserted = new Map<string, FeatureValue>();
  for (const input of inputs) {
    const feature = compiled.features.get(input.name);
    if (feature === undefined) {
      throw invalid(
        input,
        `Unknown input '${input.name}'; this model's features are ${[...compiled.features.keys()].join(', ')}.`,
      );
    }
    if (asserted.has(input.name))
      throw invalid(input, `Input '${input.name}' is asserted twice; a feature has one value.`);
    asserted.set(input.name, { state: 'asserted', value: scalarOf(input, feature), sources: [] });
  }
  for (const input of inputs) {
    const reads = compiled.features.get(input.name)?.reads ?? [];
    const behind = reads.find(
      (name) => asserted.has(name) && compiled.features.get(name)?.definition.kind !== 'demographics',
    );
    if (behind !== undefined) {
      throw invalid(input, `Input '${input.name}' is derived from '${behind}'; assert one of them, not both.`);
    }
  }
  return asserted;
}

function scalarOf(input: AssertedInput, feature: CompiledFeature): FeatureScalar {
  const { value } = input;
  if (feature.value.type === 'sequence') {
    throw invalid(input, `Input '${input.name}' is a sequence of measurements over time; it cannot be asserted.`);
  }
  if (feature.value.type === 'text') {
    throw invalid(input, `Input '${input.name}' is a text of the record; it cannot be asserted.`);
  }
  if (feature.value.type === 'image') {
    throw invalid(input, `Input '${input.name}' is an image; it cannot be asserted.`);
  }
  if (feature.value.type === 'boolean') {
    if (typeof value === 'boolean') return value;
    throw invalid(input, `Input '${input.name}' is yes or no; send valueBoolean.`);
  }
  if (feature.value.type === 'code') {
    if (typeof value === 'string' && feature.value.vocabulary.includes(value)) return value;
    throw invalid(
      input,
      `Input '${input.name}' takes one of the codes ${feature.value.vocabulary.join(', ')}; send valueCode.`,
    );
  }
  const { unit, plausible, isWhole } = feature.value;
  const number =
    typeof value === 'number' ? value : typeof value === 'object' ? inUnit(input, value, feature, unit) : undefined;
  if (number === undefined || !Number.isFinite(number)) {
    throw invalid(input, `Input '${input.name}' is a number; send valueDecimal in ${unit}, or valueQuantity.`);
  }
  if (plausible !== undefined && !isWithin(number, ...plausible)) {
    throw invalid(
      input,
      `Input '${input.name}' is ${number} ${unit}, outside the plausible ${plausible[0]} to ${plausible[1]} ${unit}.`,
    );
  }
  if (!isPlainNumber(number))
    throw invalid(
      input,
      `Input '${input.name}' is ${number} ${unit}; a result writes plain digits only: 0.000001 and more.`,
    );
  if (isWhole === true && !Number.isInteger(number))
    throw invalid(input, `Input '${input.name}' is ${number}; it is a count, and counts are whole.`);
  return number;
}

function inUnit(input: AssertedInput, quantity: Quantity, feature: CompiledFeature, unit: string): number {
  const { definition } = feature;
  const measured = definition.kind === 'observation' && definition.unit === unit ? definition : undefined;
  // A limit is what a laboratory reports; a caller who asserts something says what.
  const { conversions, analyte } = measured ?? {};
  const reading = compileQuantity(unit, { ...(conversions && { conversions }), ...(analyte && { analyte }) })(quantity);
  if ('because' in reading) throw invalid(input, `Input '${input.name}': ${reading.detail}.`);
  return reading.value;
}

function invalid(input: AssertedInput, message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ message, ...(input.expression === undefined ? {} : { expression: input.expression }) }],
  });
}
