import type { Quantity } from '@medplum/fhirtypes';
import { isUcumUnit, type UnitConversion, ucumSystem, unitConversion } from '../fhir/ucum.ts';
import type { MissingReason } from './feature-vector.ts';

export interface DeclaredConversion {
  readonly from: string;
  readonly factor: number;
  readonly offset?: number;
}

export type QuantityReading =
  | {
      readonly value: number;
      readonly unit: string;
      readonly original?: { readonly value: number; readonly unit: string };
    }
  | { readonly because: MissingReason; readonly detail: string };

/** Reads a FHIR Quantity as a number in one unit, or says why it cannot be read. Never guesses. */
export type QuantityReader = (quantity: Quantity) => QuantityReading;

const knownUnitsLimit = 64;

/**
 * @param unit UCUM code the value is wanted in
 * @param declared conversions UCUM cannot make (moles to mass), each with its factor
 * @throws RangeError where `unit` is no UCUM code: found at load, never while serving
 */
export function compileQuantity(unit: string, declared: readonly DeclaredConversion[] = []): QuantityReader {
  if (!isUcumUnit(unit)) throw new RangeError(`unit '${unit}' is not a UCUM code`);
  const known = new Map<string, UnitConversion>([[unit, { factor: 1, offset: 0 }]]);
  // Fixed by the map alone: what is understood must never depend on the patients seen before.
  const spelt: ReadonlySet<string> = new Set([unit, ...declared.map(({ from }) => from)]);
  for (const { from, factor, offset } of declared) {
    if (!isUcumUnit(from)) throw new RangeError(`conversion from '${from}': not a UCUM code`);
    known.set(from, { factor, offset: offset ?? 0 });
  }
  const conversionFrom = (from: string): UnitConversion | MissingReason => {
    const found = known.get(from);
    if (found !== undefined) return found;
    const made = unitConversion(from, unit);
    if ('refused' in made) return made.refused;
    if (known.size < knownUnitsLimit) known.set(from, made);
    return made;
  };
  return (quantity) => {
    const { value, comparator, system, code, unit: text } = quantity;
    if (typeof value !== 'number' || !Number.isFinite(value))
      return { because: 'not-numeric', detail: 'the value is not a number' };
    if (comparator !== undefined)
      return { because: 'comparator', detail: `the value is a limit (${comparator}), not a number` };
    // Without a code only the very text of a unit that the map itself names is understood.
    const from = code ?? (text !== undefined && spelt.has(text) ? text : undefined);
    if (from === undefined) {
      return text === undefined
        ? { because: 'unit-missing', detail: `the value has no unit; ${unit} is needed` }
        : { because: 'unit-unknown', detail: `the unit has no UCUM code; ${unit} is needed` };
    }
    if (code !== undefined && system !== ucumSystem) {
      return { because: 'unit-unknown', detail: `the unit's code is not from ${ucumSystem}` };
    }
    const conversion = conversionFrom(from);
    if (typeof conversion === 'string')
      return { because: conversion, detail: `unit ${from} cannot be converted to ${unit}` };
    if (code !== undefined && text !== undefined && text !== code && contradicts(text, code)) {
      return { because: 'unit-contradictory', detail: `the unit reads ${text}, but its code is ${code}` };
    }
    if (from === unit) return { value, unit };
    return { value: value * conversion.factor + conversion.offset, unit, original: { value, unit: from } };
  };
}

/** A text that is itself UCUM and means something else than the code. Free text such as `mmHg` contradicts nothing. */
function contradicts(text: string, code: string): boolean {
  if (!isUcumUnit(text)) return false;
  const conversion = unitConversion(text, code);
  return 'refused' in conversion || Math.abs(conversion.factor - 1) > 1e-9 || Math.abs(conversion.offset) > 1e-9;
}
