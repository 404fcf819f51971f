/** `value`, or the limit it oversteps. */
export function clamped(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
