import { numberOfFloat16 } from '../../model-catalog/float16.ts';
import type { Tensor, Tensors } from '../../model-catalog/tensor.ts';

/**
 * How far numbers of a device may lie from those of the CPU: |device − CPU| ≤ absolute + relative · |CPU|. The relative part
 * is what ONNX grants its own operator tests; the absolute part is a hundredth of a percentage point of a probability.
 * @see https://github.com/onnx/onnx/blob/main/onnx/backend/test/loader/__init__.py (rtol)
 */
export const deviceTolerance = { absolute: 1e-4, relative: 1e-3 } as const;

export interface Comparison {
  /** The largest absolute difference between two finite numbers. */
  readonly maxDifference: number;
  /** What is not as it must be: the first of each output. No value is quoted, for it may be a score. */
  readonly faults: readonly string[];
}

/** Compares outputs with what is expected: floating-point numbers within the tolerance, everything else exactly. */
export function compareTensors(expected: Tensors, actual: Tensors): Comparison {
  const faults: string[] = [];
  let maxDifference = 0;
  for (const [name, wanted] of expected) {
    const found = actual.get(name);
    if (found === undefined || found.type !== wanted.type || found.dims.join() !== wanted.dims.join()) {
      faults.push(`output ${name} has another type or shape`);
      continue;
    }
    const numbers = floatsOf(wanted);
    const compared =
      numbers === undefined ? compareExactly(wanted, found) : compareFloats(numbers, floatsOf(found) ?? []);
    maxDifference = Math.max(maxDifference, compared.maxDifference);
    if (compared.fault !== undefined) faults.push(`output ${name} ${compared.fault}`);
  }
  return { maxDifference, faults };
}

/**
 * Outputs that hold a finite number where the expected ones hold NaN or an infinity. WebGPU may take such values for what
 * never happens: there the logistic function of NaN is 0, which would be a score.
 * @see https://www.w3.org/TR/WGSL/#floating-point-evaluation
 */
export function inventedNumbers(expected: Tensors, actual: Tensors): string[] {
  return [...expected].flatMap(([name, wanted]) => {
    const numbers = floatsOf(wanted);
    const found = actual.get(name);
    if (numbers === undefined || found === undefined) return [];
    const others = floatsOf(found) ?? [];
    const invented = Array.prototype.some.call(
      numbers,
      (value: number, index) => !Number.isFinite(value) && Number.isFinite(others[index] ?? Number.NaN),
    );
    return invented ? [name] : [];
  });
}

function floatsOf({ type, data }: Tensor): ArrayLike<number> | undefined {
  if (type === 'float32' || type === 'float64') return data as ArrayLike<number>;
  return type === 'float16' ? Array.from(data as Uint16Array, numberOfFloat16) : undefined;
}

function compareFloats(
  expected: ArrayLike<number>,
  actual: ArrayLike<number>,
): { maxDifference: number; fault: string | undefined } {
  let maxDifference = 0;
  let beyond = 0;
  let notFinite = false;
  for (let index = 0; index < expected.length; index++) {
    const wanted = expected[index] ?? Number.NaN;
    const found = actual[index] ?? Number.NaN;
    if (Object.is(wanted, found) || wanted === found) continue;
    const difference = Math.abs(found - wanted);
    if (!Number.isFinite(difference)) {
      notFinite = true;
      continue;
    }
    maxDifference = Math.max(maxDifference, difference);
    const { absolute, relative } = deviceTolerance;
    if (difference > absolute + relative * Math.abs(wanted)) beyond = Math.max(beyond, difference);
  }
  const fault = notFinite
    ? 'is not finite on one of the two alone'
    : beyond > 0
      ? `differs by ${beyond.toPrecision(3)}`
      : undefined;
  return { maxDifference, fault };
}

/** Classes, counts, truths and texts have no tolerance. */
function compareExactly(expected: Tensor, actual: Tensor): { maxDifference: number; fault: string | undefined } {
  const same = Array.prototype.every.call(expected.data, (value, index) => value === actual.data[index]);
  return { maxDifference: 0, fault: same ? undefined : `(${expected.type}) is not the same` };
}
