import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';

/** How one axis is resampled: which old places each new one is made of, and with which weights. */
export interface AxisWeights {
  /** How many places there are afterwards. */
  readonly size: number;
  /** For each new place the first old one of its weights. */
  readonly first: Int32Array;
  /** For each new place the weights of the old ones from `first` on; they sum to 1. */
  readonly weights: readonly Float64Array[];
}

/** New place i lies at old coordinate (i + 0.5) × over / under, where old place i covers i to i + 1. */
export interface AxisScale {
  readonly over: number;
  readonly under: number;
}

export type ResampleMethod = Pick<Extract<ImageStep, { step: 'resample' }>, 'method' | 'antialias'>;

/**
 * Weights of one axis. Places are areas that share their outer edge (pixel centres at halves), as in Pillow and OpenCV:
 * - nearest: the old place that the middle of the new one lies in;
 * - linear, cubic: triangle, or Keys' kernel with a = -0.5 (IEEE Trans. ASSP 29(6), 1981); with `antialias` as wide as a new place
 *   where that is wider than an old one; cut at the edge of the image, the rest sums to 1;
 * - area: the mean over what the new place covers, parts of old places by how much of them is covered.
 * @param old how many places there are
 * @param size how many there shall be
 */
export function axisWeights(
  old: number,
  size: number,
  { over, under }: AxisScale,
  { method, antialias }: ResampleMethod,
): AxisWeights {
  const scale = over / under;
  const kernel = method === 'cubic' ? keys : triangle;
  const stretch = antialias ? Math.max(1, scale) : 1;
  const reach = (method === 'cubic' ? 2 : 1) * stretch;
  const first = new Int32Array(size);
  const weights: Float64Array[] = [];
  for (let at = 0; at < size; at++) {
    const middle = ((at + 0.5) * over) / under;
    let from: number;
    let found: Float64Array;
    if (method === 'nearest') {
      from = Math.min(old - 1, Math.floor(middle));
      found = Float64Array.of(1);
    } else if (method === 'area') {
      const low = Math.min((at * over) / under, old);
      const high = Math.min(((at + 1) * over) / under, old);
      from = Math.min(old - 1, Math.floor(low));
      const to = Math.max(from + 1, Math.ceil(high));
      found = weightsOf(to - from, (k) => Math.min(high, from + k + 1) - Math.max(low, from + k));
    } else {
      from = Math.max(0, Math.floor(middle - reach + 0.5));
      const to = Math.min(old, Math.floor(middle + reach + 0.5));
      found = weightsOf(to - from, (k) => kernel((from + k + 0.5 - middle) / stretch));
    }
    first[at] = from;
    weights.push(found);
  }
  return { size, first, weights };
}

function weightsOf(count: number, weight: (k: number) => number): Float64Array {
  const weights = Float64Array.from({ length: count }, (_, k) => weight(k));
  const sum = weights.reduce((one, other) => one + other, 0);
  return weights.map((each) => each / sum);
}

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x));
}

const a = -0.5;

function keys(x: number): number {
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}
