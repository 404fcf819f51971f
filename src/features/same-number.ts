/** Equal but for the rounding of a unit conversion. */
export function sameNumber(left: number, right: number): boolean {
  return left === right || Math.abs(left - right) <= 1e-12 * Math.max(Math.abs(left), Math.abs(right));
}

/** Both ends belong to it, in whatever unit the value was given: 8.84 umol/L of creatinine are 0.1 mg/dL. */
export function isWithin(value: number, from: number, to: number): boolean {
  return isAtLeast(value, from) && (value <= to || sameNumber(value, to));
}

export function isAtLeast(value: number, from: number): boolean {
  return value >= from || sameNumber(value, from);
}
