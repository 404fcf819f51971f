import { isUcumUnit, unitConversion } from '../fhir/ucum.ts';
import { analyteConversion } from './analyte-conversion.ts';
import type { AnalyteName } from './analytes.ts';
import type { ValueForms } from './value-forms-schema.ts';

/** What the forms of a value must fit: the unit of the feature and how it is reached. */
interface Measured extends ValueForms {
  readonly unit: string;
  readonly analyte?: AnalyteName;
  readonly conversions?: readonly { readonly from: string }[];
}

/** That the units which are declared for values without one can be converted, and that a titer has none. */
export function checkValueForms(measured: Measured, find: (path: string, message: string) => void): void {
  const { strings, integers, ratios, unit } = measured;
  if (strings !== undefined && strings !== 'numbers') checkDeclared(measured, strings.unit, '/strings/unit', find);
  if (integers !== undefined) checkDeclared(measured, integers.unit, '/integers/unit', find);
  if (ratios === 'titer' && unit !== '1' && !/^\{[^{}]+\}$/.test(unit))
    find('/ratios', `a titer has no unit but 1 or an annotation such as {titer}, not ${unit}`);
}

function checkDeclared(
  { unit, analyte, conversions = [] }: Measured,
  from: string,
  path: string,
  find: (path: string, message: string) => void,
): void {
  if (!isUcumUnit(from)) {
    find(path, `${from} is no UCUM unit`);
    return;
  }
  if (conversions.some((conversion) => conversion.from === from)) return;
  const made = analyte === undefined ? unitConversion(from, unit) : analyteConversion(analyte, from, unit);
  if ('refused' in made) find(path, `${from} cannot be converted to ${unit}`);
}
