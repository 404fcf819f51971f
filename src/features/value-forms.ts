import type { Observation, ObservationComponent, Quantity, Ratio } from '@medplum/fhirtypes';
import { isPlainNumber } from '../fhir/plain-number.ts';
import { isUcumUnit, ucumSystem } from '../fhir/ucum.ts';
import type { ValueForms } from '../model-catalog/value-forms-schema.ts';
import type { Doubt, HolderReader } from './measurements.ts';
import { hasSeveralValues, isAnswered } from './value-elements.ts';

type Reading = Quantity | Doubt;
type ValueForm = (holder: Observation | ObservationComponent) => Reading;

/**
 * The value of a resource or component as a Quantity: undefined where nothing was measured. A Quantity without a value was
 * not measured; one with a value contradicts a reason why it is absent (obs-6).
 * @param forms with `unit`, the UCUM code of the feature
 */
export function compileQuantityIn(forms: ValueForms & { readonly unit: string }): HolderReader<Quantity> {
  const formOf = compileForm(forms);
  return (holder) => {
    const { valueQuantity, dataAbsentReason } = holder;
    if (valueQuantity !== undefined) {
      if (dataAbsentReason === undefined) return valueQuantity;
      return valueQuantity.value === undefined ? undefined : 'absent-and-given';
    }
    if (!isAnswered(holder)) return undefined;
    return dataAbsentReason === undefined ? formOf(holder) : 'absent-and-given';
  };
}

/**
 * Texts, integers and ratios as quantities, each only where the map declares it; whatever else an Observation can hold
 * (a Range, SampledData, a time) is no number.
 */
function compileForm({ strings, integers, ratios, unit }: ValueForms & { readonly unit: string }): ValueForm {
  return (holder) => {
    if (hasSeveralValues(holder)) return 'several-values';
    const { valueString, valueInteger, valueRatio } = holder;
    if (valueString !== undefined && strings !== undefined) {
      return fromText(valueString, strings === 'numbers' ? undefined : strings.unit);
    }
    if (valueInteger !== undefined && integers !== undefined) {
      return { value: valueInteger, system: ucumSystem, code: integers.unit };
    }
    if (valueRatio !== undefined && ratios !== undefined) {
      return ratios === 'titer' ? titerOf(valueRatio, unit) : quotientOf(valueRatio);
    }
    return 'not-a-quantity';
  };
}

/**
 * A comparator, a number and a unit, of which only the number must be there. A comma, a plus (`+2` is a grade), an
 * exponent, a range, a second number: each has a second meaning, and none is read. A unit that begins with a digit or a
 * slash needs a space before it, or `120/80` would be 120 with a unit.
 */
const numberText = /^(<=|>=|<|>|≤|≥)?\s*(-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?)(?:\s+(\S.*)|([A-Za-zµμ%[{].*))?$/;

function fromText(text: string, declaredUnit: string | undefined): Reading {
  const [, sign, digits, apart, joined] = numberText.exec(text.trim()) ?? [];
  if (digits === undefined) return 'no-number';
  const given = (apart ?? joined)?.trimEnd();
  const comparator = sign === '≤' ? '<=' : sign === '≥' ? '>=' : (sign as Quantity['comparator']);
  return {
    value: Number(digits),
    ...(comparator === undefined ? {} : { comparator }),
    // As the text of a Quantity's unit: understood where the map itself spells it so.
    ...(given !== undefined
      ? { unit: given }
      : declaredUnit === undefined
        ? {}
        : { system: ucumSystem, code: declaredUnit }),
  };
}

/** `1:128` is 128. A limit on either side of a titer can be read in two ways. */
function titerOf({ numerator, denominator }: Ratio, unit: string): Reading {
  if (numerator?.comparator !== undefined || denominator?.comparator !== undefined) return 'ratio-limit';
  const value = denominator?.value;
  if (numerator?.value !== 1 || value === undefined || !(value > 0)) return 'no-ratio';
  for (const side of [numerator, denominator]) {
    const given = side?.code ?? side?.unit;
    if (given !== undefined && given !== '1' && given !== unit) return 'ratio-unknown-unit';
  }
  return { value, system: ucumSystem, code: unit };
}

/** A limit of the numerator is one of the whole; one of the denominator is its opposite, which nobody writes on purpose. */
function quotientOf({ numerator, denominator }: Ratio): Reading {
  if (denominator?.comparator !== undefined) return 'ratio-limit';
  const above = numerator?.value;
  const below = denominator?.value;
  if (numerator === undefined || denominator === undefined || above === undefined || below === undefined)
    return 'no-ratio';
  const value = above / below;
  if (!(below > 0) || !isPlainNumber(value)) return 'no-ratio';
  for (const { code, unit, system } of [numerator, denominator]) {
    if (code === undefined) return unit === undefined ? 'ratio-without-unit' : 'ratio-unknown-unit';
    if (system !== ucumSystem) return 'ratio-unknown-unit';
  }
  const { comparator } = numerator;
  return {
    value,
    ...(comparator === undefined ? {} : { comparator }),
    system: ucumSystem,
    code: `${numerator.code}/${bracketed(denominator.code)}`,
    // A text that means another unit than its code contradicts it here as it does in a Quantity.
    unit: `${saidUnit(numerator)}/${bracketed(saidUnit(denominator))}`,
  };
}

function bracketed(unit: string | undefined): string {
  return unit !== undefined && /[./]/.test(unit.replace(/\{[^}]*\}/g, '')) ? `(${unit})` : `${unit}`;
}

/** The unit as its text says it, where that is UCUM; free text contradicts nothing. */
function saidUnit({ code, unit }: Quantity): string | undefined {
  return unit !== undefined && unit !== code && isUcumUnit(unit) ? unit : code;
}
