import { type NumericData, numericData, type Tensor, type Tensors } from '../../model-catalog/tensor.ts';

/** Something to make rows from. */
export interface Samples {
  /** Their first dimension counts the same rows, at least one. */
  readonly tensors: Tensors;
  /** True: they mean nothing, and what is made of them may be anything from a tenth to a thousand times as large. */
  readonly madeUp: boolean;
}

/**
 * Rows like the samples and yet all different: each column is taken from a sample drawn for it alone. In every second row
 * numbers stay as they were drawn, in the others each float is moved by up to a tenth. The same seed gives the same rows.
 */
export function probeRows({ tensors, madeUp }: Samples, rows: number, seed: number): Tensors {
  const random = mulberry32(seed);
  const factor = madeUp ? () => 10 ** (4 * random() - 1) : () => 0.9 + 0.2 * random();
  const moved = (value: number, row: number): number => (madeUp || row % 2 === 1 ? value * factor() : value);
  return new Map([...tensors].map(([name, tensor]) => [name, probeTensor(tensor, rows, random, moved)]));
}

function probeTensor(
  tensor: Tensor,
  rows: number,
  random: () => number,
  moved: (value: number, row: number) => number,
): Tensor {
  const [given = 0, ...rest] = tensor.dims;
  const width = rest.reduce((product, size) => product * size, 1);
  const dims = [rows, ...rest];
  const drawn = (index: number): number => Math.floor(random() * given) * width + (index % width);
  if (tensor.type === 'string') {
    const data = Array.from({ length: rows * width }, (_, index) => tensor.data[drawn(index)] ?? '');
    return { ...tensor, dims, data };
  }
  const data: NumericData = numericData(tensor.type, rows * width);
  const moves = tensor.type === 'float32' || tensor.type === 'float64';
  for (let index = 0; index < data.length; index++) {
    const value = tensor.data[drawn(index)] ?? 0;
    data[index] = typeof value === 'number' && moves ? moved(value, Math.floor(index / width)) : value;
  }
  return { ...tensor, dims, data };
}

/** A small generator with 32 bits of state, public domain. @see https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
