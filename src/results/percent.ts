/** Below this percentage a JSON number would be written with an exponent. */
export const smallestPlainPercent = 0.000001;

/**
 * Moves the decimal point of a decimal numeral, digit by digit: nothing is rounded, so 0.147 gives 14.7 and never
 * 14.699999999999998.
 * @param numeral plain or exponent notation, as `String(number)` writes it
 * @param places to the right where positive
 * @returns plain notation
 */
export function shiftDecimal(numeral: string, places: number): string {
  const [mantissa = '', exponent = '0'] = numeral.toLowerCase().split('e');
  const negative = mantissa.startsWith('-');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const point = whole.length + Number(exponent) + places;
  const digits = `${whole}${fraction}`;
  const padded =
    point > digits.length ? digits.padEnd(point, '0') : digits.padStart(digits.length - Math.min(point, 0), '0');
  const at = Math.max(point, 0);
  const integer = padded.slice(0, at).replace(/^0+(?=\d)/, '') || '0';
  const decimals = padded.slice(at).replace(/0+$/, '');
  return `${negative ? '-' : ''}${integer}${decimals === '' ? '' : `.${decimals}`}`;
}

/** A fraction as a percentage in full precision. @param fraction 0..1, or a difference of such */
export function toPercent(fraction: number): number {
  const numeral = String(fraction);
  return Number(numeral.includes('e') ? shiftDecimal(numeral, 2) : `${numeral}e2`);
}
