/** Rounded half up to so many decimals; JSON writes the result without a tail of digits. */
export function rounded(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}
