/** From here up to, but not including, `smallestHuge` JavaScript writes a number without an exponent. */
const smallestPlain = 1e-6;
const smallestHuge = 1e21;

/** True where JSON writes the number as plain digits: finite, and neither tiny nor huge. */
export function isPlainNumber(value: number): boolean {
  const size = Math.abs(value);
  return (size >= smallestPlain && size < smallestHuge) || value === 0;
}
