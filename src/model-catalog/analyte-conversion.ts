import { sameConversion, type UnitConversion, type UnitConversionResult, unitConversion } from '../fhir/ucum.ts';
import { type AnalyteName, analytes } from './analytes.ts';

/** The units of an analyte that its table names, UCUM. */
export function analyteUnits(name: AnalyteName): string[] {
  const { unit, conversions } = analytes[name];
  return [unit, ...conversions.map(({ from }) => from)];
}

/**
 * The linear conversion between two units of one analyte: by UCUM to a unit of the table, by the table to another one,
 * by UCUM to the unit wanted. A unit from which several ways lead to different numbers is refused, as is one from which
 * none leads.
 */
export function analyteConversion(name: AnalyteName, from: string, to: string): UnitConversionResult {
  if (from === to) return { factor: 1, offset: 0 };
  const start = wayIn(name, from);
  if ('refused' in start) return start;
  const end = wayIn(name, to);
  if ('refused' in end) return end;
  // Exact where the table is not needed.
  return start.by === end.by ? unitConversion(from, to) : inTurn(start.conversion, inverse(end.conversion));
}

/** Over which unit of the table a unit reaches the analyte's own, and how. */
type WayIn =
  | { readonly by: string; readonly conversion: UnitConversion }
  | { readonly refused: 'unit-unknown' | 'unconvertible' };

function wayIn(name: AnalyteName, unit: string): WayIn {
  const named = fromTable(name);
  const exact = named.find(({ by }) => by === unit);
  if (exact !== undefined) return exact;
  const ways: Extract<WayIn, { by: string }>[] = [];
  for (const { by, conversion } of named) {
    const scaled = unitConversion(unit, by);
    if (!('refused' in scaled)) ways.push({ by, conversion: inTurn(scaled, conversion) });
    else if (scaled.refused === 'unit-unknown') return scaled;
  }
  const [first, ...others] = ways;
  if (first === undefined || others.some(({ conversion }) => !sameConversion(conversion, first.conversion)))
    return { refused: 'unconvertible' };
  return first;
}

function fromTable(name: AnalyteName): { readonly by: string; readonly conversion: UnitConversion }[] {
  const { unit, conversions } = analytes[name];
  return [
    { by: unit, conversion: { factor: 1, offset: 0 } },
    ...conversions.map(({ from, factor, offset = 0 }) => ({ by: from, conversion: { factor, offset } })),
  ];
}

function inTurn(first: UnitConversion, second: UnitConversion): UnitConversion {
  return { factor: first.factor * second.factor, offset: first.offset * second.factor + second.offset };
}

function inverse({ factor, offset }: UnitConversion): UnitConversion {
  return { factor: 1 / factor, offset: offset === 0 ? 0 : -offset / factor };
}
