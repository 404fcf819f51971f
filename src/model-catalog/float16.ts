/**
 * Numbers as the bits of IEEE 754 binary16, and back. Node has an array of its own for them from version 24 on only.
 * @see https://ieeexplore.ieee.org/document/8766229 (IEEE 754-2019, 3.6)
 */

const scratch = new DataView(new ArrayBuffer(4));

/** The number that 16 bits stand for; exact. */
export function numberOfFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The bits of the nearest binary16 number, ties to even; beyond the largest, 65504, infinity. */
export function float16OfNumber(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  scratch.setFloat32(0, value);
  const sign = (scratch.getUint32(0) >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 the steps are all alike; above, each power of two has 1024 of them.
  const exponent = Math.max(Math.floor(Math.log2(size || 2 ** -24)), -14);
  const corrected =
    size >= 2 ** (exponent + 1) ? exponent + 1 : size < 2 ** exponent && exponent > -14 ? exponent - 1 : exponent;
  const steps = roundToEven(size / 2 ** (corrected - 10));
  // A fraction that is rounded up to the next power of two carries into the exponent by itself.
  return sign | (corrected === -14 ? steps : steps + ((corrected + 14) << 10));
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
