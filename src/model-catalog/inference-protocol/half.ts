/** IEEE 754 binary16, whose bits tensors of type float16 keep. */

const exponentBias = 15;
const leastNormal = 2 ** -14;
const leastSubnormal = 2 ** -24;
const mantissaSteps = 1024;
/** From here on the nearest number of 16 bits is infinite. */
const overflow = 65_520;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** The nearest number of 16 bits, the even one of two that are equally near; infinite from 65520 on. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= overflow) return sign | 0x7c00;
  if (size < leastNormal) return sign | roundEven(size / leastSubnormal);
  double[0] = size;
  // The upper word of a double: its exponent stands in bits 20 to 30. Tensors are little-endian, and so is every
  // machine that ONNX Runtime has a build for.
  const exponent = (((words[1] ?? 0) >>> 20) & 0x7ff) - 1023;
  const steps = roundEven((size / 2 ** exponent - 1) * mantissaSteps);
  return sign | (((exponent + exponentBias) << 10) + steps);
}

/** The number that the bits stand for, exactly. */
export function halfNumber(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 0x1f;
  const steps = bits & 0x3ff;
  if (exponent === 0x1f) return steps === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * steps * leastSubnormal;
  return sign * (1 + steps / mantissaSteps) * 2 ** (exponent - exponentBias);
}

function roundEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
