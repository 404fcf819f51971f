/**
 * The check digit of a LOINC identifier without its hyphen (`2093`, `LA18976`), 0..9: modulus 10 from the right, every
 * other place doubled. The letters of answers, lists, parts and groups count by their place after `0` in ASCII.
 */
export function loincCheckDigit(identifier: string): number {
  let sum = 0;
  let isDoubled = true;
  for (const character of [...identifier].reverse()) {
    const value = (character.codePointAt(0) ?? 0) - 48;
    sum += isDoubled ? Math.floor((2 * value) / 10) + ((2 * value) % 10) : value;
    isDoubled = !isDoubled;
  }
  return (10 - (sum % 10)) % 10;
}
