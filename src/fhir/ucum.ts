import ucumPackage from '@lhncbc/ucum-lhc';

/** The FHIR system of UCUM codes. */
export const ucumSystem = 'http://unitsofmeasure.org';

/** value in the target unit = factor · value in the source unit + offset */
export interface UnitConversion {
  readonly factor: number;
  readonly offset: number;
}

export type UnitConversionResult = UnitConversion | { readonly refused: 'unit-unknown' | 'unconvertible' };

const ucum = ucumPackage.UcumLhcUtils.getInstance();

/** True for a case-sensitive UCUM code (`mm[Hg]`, not `mmHg`). */
export function isUcumUnit(code: string): boolean {
  // The library writes what it cannot parse to standard output, and a unit may hold any text.
  if (!/^[!-~]{1,100}$/.test(code)) return false;
  return ucum.validateUnitString(code).status === 'valid';
}

/**
 * The linear conversion between two UCUM codes of the same kind of quantity. Annotations count: `mL/min` and
 * `mL/min/{1.73_m2}` are refused although UCUM itself lets braces pass, and so is everything UCUM cannot convert
 * (moles to mass, arbitrary units).
 */
export function unitConversion(from: string, to: string): UnitConversionResult {
  if (from === to) return { factor: 1, offset: 0 };
  if (!isUcumUnit(from)) return { refused: 'unit-unknown' };
  if (annotations(from) !== annotations(to)) return { refused: 'unconvertible' };
  const [atZero, atOne, atThousand] = [0, 1, 1000].map((value) => converted(from, value, to));
  if (atZero === undefined || atOne === undefined || atThousand === undefined) return { refused: 'unconvertible' };
  // Taken far from zero, where the rounding of an offset weighs least.
  const factor = (atThousand - atZero) / 1000;
  // Logarithmic and trigonometric units (decibel, slope) have no factor.
  const linear = Math.abs(factor + atZero - atOne) <= 1e-9 * Math.max(Math.abs(atOne), Math.abs(factor));
  if (!linear || factor === 0) return { refused: 'unconvertible' };
  return { factor, offset: atZero };
}

/** Undefined where UCUM makes no finite number of it. */
function converted(from: string, value: number, to: string): number | undefined {
  const { status, toVal } = ucum.convertUnitTo(from, value, to);
  return status === 'succeeded' && toVal !== null && Number.isFinite(toVal) ? toVal : undefined;
}

function annotations(unit: string): string {
  return [...unit.matchAll(/\{[^}]*\}/g)]
    .map(([text]) => text)
    .sort()
    .join('');
}
