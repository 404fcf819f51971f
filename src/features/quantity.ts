import type { Quantity } from '@medplum/fhirtypes';
import {
  isUcumUnit,
  sameConversion,
  type UnitConversion,
  type UnitConversionResult,
  ucumSystem,
  unitConversion,
} from '../fhir/ucum.ts';
import { analyteConversion, analyteUnits } from '../model-catalog/analyte-conversion.ts';
import type { AnalyteName } from '../model-catalog/analytes.ts';
import type { LocalUnits, ObservationDefinition } from '../model-catalog/feature-map-schema.ts';
import type { MissingReason, OriginalValue } from './feature-vector.ts';

export interface DeclaredConversion {
  readonly from: string;
  readonly factor: number;
  readonly offset?: number;
}

export type QuantityReading =
  | {
      readonly value: number;
      readonly unit: string;
      readonly original?: OriginalValue;
      /** How its unit text was understood, where only the site file knows it. */
      readonly localUnit?: string;
    }
  | { readonly because: MissingReason; readonly detail: string };

/** Reads a FHIR Quantity as a number in one unit, or says why it cannot be read. Never guesses. */
export type QuantityReader = (quantity: Quantity) => QuantityReading;

const knownUnitsLimit = 64;
const unchanged: UnitConversion = { factor: 1, offset: 0 };

export interface QuantityRules {
  /** Conversions UCUM cannot make (moles to mass), each with its factor. */
  readonly conversions?: readonly DeclaredConversion[];
  /** Whose table holds more of them; `conversions` go before it. */
  readonly analyte?: AnalyteName;
  /** What a value stands for that is given as a limit; one that is not named is a reason. */
  readonly limits?: ObservationDefinition['limits'];
  /** Unit texts of the site, for values without a UCUM code. */
  readonly localUnits?: LocalUnits;
}

/**
 * @param unit UCUM code the value is wanted in
 * @throws RangeError where `unit` is no UCUM code, or no unit of the analyte: found at load, never while serving
 */
export function compileQuantity(
  unit: string,
  { conversions: declared = [], analyte, limits = {}, localUnits }: QuantityRules = {},
): QuantityReader {
  if (!isUcumUnit(unit)) throw new RangeError(`unit '${unit}' is not a UCUM code`);
  const convert = (from: string, to: string): UnitConversionResult =>
    analyte === undefined ? unitConversion(from, to) : analyteConversion(analyte, from, to);
  const tabled = analyte === undefined ? [] : analyteUnits(analyte);
  const known = new Map<string, UnitConversion>([[unit, unchanged]]);
  // Fixed by the map alone: what is understood must never depend on the patients seen before.
  const spelt: ReadonlySet<string> = new Set([unit, ...declared.map(({ from }) => from), ...tabled]);
  for (const from of tabled) {
    const made = convert(from, unit);
    if ('refused' in made) throw new RangeError(`unit '${unit}' is not a unit of ${analyte}`);
    known.set(from, made);
  }
  for (const { from, factor, offset } of declared) {
    if (!isUcumUnit(from)) throw new RangeError(`conversion from '${from}': not a UCUM code`);
    known.set(from, { factor, offset: offset ?? 0 });
  }
  const conversionFrom = (from: string): UnitConversion | MissingReason => {
    const found = known.get(from);
    if (found !== undefined) return found;
    const made = convert(from, unit);
    if ('refused' in made) return made.refused;
    if (known.size < knownUnitsLimit) known.set(from, made);
    return made;
  };
  const local = new Map(
    Object.entries(localUnits?.units ?? {}).map(([text, code]) => [
      text,
      { code, words: `local unit ${text} read as ${code} by ${localUnits?.site}` },
    ]),
  );
  const compared = new Map<string, boolean>();
  /** A text that is itself UCUM and means something else than the code. Free text such as `mmHg` contradicts nothing. */
  const contradicts = (text: string, code: string): boolean => {
    // A code holds no space.
    const pair = `${code} ${text}`;
    const found = compared.get(pair);
    if (found !== undefined) return found;
    if (!isUcumUnit(text)) return false;
    const direct = unitConversion(text, code);
    const conversion = 'refused' in direct ? convert(text, code) : direct;
    const made = 'refused' in conversion || !sameConversion(conversion, unchanged);
    if (compared.size < knownUnitsLimit) compared.set(pair, made);
    return made;
  };
  return (quantity) => {
    const { value, comparator, system, code, unit: text } = quantity;
    if (typeof value !== 'number' || !Number.isFinite(value))
      return { because: 'not-numeric', detail: 'the value is not a number' };
    const standsFor = comparator === undefined ? undefined : limits[comparator];
    if (comparator !== undefined && standsFor === undefined)
      return { because: 'comparator', detail: `the value is a limit (${comparator}), not a number` };
    // Without a code only the very text of a unit that the map itself names is understood, or that the site file names.
    const isSpelt = code === undefined && text !== undefined && spelt.has(text);
    const isCoded = code !== undefined && system === ucumSystem;
    const meantHere = isSpelt || isCoded || text === undefined ? undefined : local.get(text);
    const from: string | undefined = meantHere?.code ?? code ?? (isSpelt ? text : undefined);
    if (from === undefined) {
      return text === undefined
        ? { because: 'unit-missing', detail: `the value has no unit; ${unit} is needed` }
        : { because: 'unit-unknown', detail: `the unit has no UCUM code; ${unit} is needed` };
    }
    if (code !== undefined && !isCoded && meantHere === undefined) {
      return { because: 'unit-unknown', detail: `the unit's code is not from ${ucumSystem}` };
    }
    const conversion = conversionFrom(from);
    if (typeof conversion === 'string')
      return { because: conversion, detail: `unit ${from} cannot be converted to ${unit}` };
    // A code of no system may be UCUM; one of a system of the site is what the site file speaks of.
    const strayCode = meantHere !== undefined && system === undefined ? code : undefined;
    if (meantHere !== undefined && strayCode !== undefined && strayCode !== from && contradicts(strayCode, from)) {
      return { because: 'unit-contradictory', detail: `${meantHere.words}, but its code is ${strayCode}` };
    }
    if (isCoded && text !== undefined && text !== code && contradicts(local.get(text)?.code ?? text, code)) {
      return { because: 'unit-contradictory', detail: `the unit reads ${text}, but its code is ${code}` };
    }
    if (comparator === undefined && from === unit && meantHere === undefined) return { value, unit };
    const given = meantHere === undefined || text === undefined ? from : text;
    const meant = standsFor === 'half' ? value / 2 : value;
    return {
      value: from === unit ? meant : meant * conversion.factor + conversion.offset,
      unit,
      original: comparator === undefined ? { value, unit: given } : { value, unit: given, comparator },
      ...(meantHere === undefined ? {} : { localUnit: meantHere.words }),
    };
  };
}
