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

/** What UCUM's grammar does not allow, but the library takes for a unit, stops at, or writes to standard output. */
const misread: readonly RegExp[] = [
  /\}[^./)]/, // a term that begins with an annotation
  /\(\)/, // an empty term
  /(?:^|[./(])0+(?:[./)]|$)/, // a factor of zero: UCUM's are positive
  new RegExp(Object.getOwnPropertyNames(Object.prototype).join('|')), // found in the library's tables of units
];

/** True for a case-sensitive UCUM code (`mm[Hg]`, not `mmHg`). */
export function isUcumUnit(code: string): boolean {
  // The library writes what it cannot parse to standard output, and a unit may hold any text.
  if (!/^[!-~]{1,100}$/.test(code)) return false;
  const bare = code.replace(/\{[^{}]*\}/g, '{}');
  if (misread.some((pattern) => pattern.test(bare))) return false;
  return ucum.validateUnitString(code).status === 'valid';
}

/**
 * The linear conversion between two UCUM codes of the same kind of quantity. Refused is everything UCUM cannot convert
 * (moles to mass, arbitrary units), and some that UCUM lets pass: other annotations (`mL/min` and `mL/min/{1.73_m2}`),
 * logarithmic units, a ratio of amounts as a plain fraction (`mmol/mol` and `%`), other fields of the microscope.
 */
export function unitConversion(from: string, to: string): UnitConversionResult {
  if (from === to) return { factor: 1, offset: 0 };
  if (!isUcumUnit(from) || !isUcumUnit(to)) return { refused: 'unit-unknown' };
  if (qualifiers(from) !== qualifiers(to)) return { refused: 'unconvertible' };
  const moles = [molesNamed(from), molesNamed(to)];
  // HbA1c in mmol/mol and in % are two scales, of which neither is a multiple of the other.
  if (Math.max(...moles) > 1 && Math.min(...moles) === 0) return { refused: 'unconvertible' };
  const [atZero, atOne, atThousand] = [0, 1, 1000].map((value) => converted(from, value, to));
  if (atZero === undefined || atOne === undefined || atThousand === undefined) return { refused: 'unconvertible' };
  // Taken far from zero, where the rounding of an offset weighs least.
  const factor = (atThousand - atZero) / 1000;
  // Logarithmic and trigonometric units (decibel, slope) have no factor.
  const linear = Math.abs(factor + atZero - atOne) <= 1e-9 * Math.max(Math.abs(atOne), Math.abs(factor));
  if (!linear || factor === 0) return { refused: 'unconvertible' };
  return { factor, offset: atZero };
}

/** Equal but for rounding. */
export function sameConversion(one: UnitConversion, other: UnitConversion): boolean {
  return (
    Math.abs(one.factor - other.factor) <= 1e-9 * Math.abs(one.factor) &&
    Math.abs(one.offset - other.offset) <= 1e-9 * Math.max(1, Math.abs(one.offset))
  );
}

/** Undefined where UCUM makes no finite number of it. */
function converted(from: string, value: number, to: string): number | undefined {
  const { status, toVal } = ucum.convertUnitTo(from, value, to);
  return status === 'succeeded' && toVal !== null && Number.isFinite(toVal) ? toVal : undefined;
}

/** What a number counts or refers to, which UCUM takes for 1: annotations, and the field of the microscope. */
function qualifiers(unit: string): string {
  return [...unit.matchAll(/\{[^}]*\}|\[[HL]PF\]/g)]
    .map(([text]) => text)
    .sort()
    .join('');
}

function molesNamed(unit: string): number {
  return [...unit.replace(/\{[^}]*\}/g, '').matchAll(/mol/g)].length;
}
