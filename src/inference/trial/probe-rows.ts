import { float16OfNumber, numberOfFloat16 } from '../../model-catalog/float16.ts';
import { type NumericData, numericData, type Tensor, type Tensors } from '../../model-catalog/tensor.ts';

/** Something to make rows from. */
export interface Samples {
  /** Their first dimension counts the same rows, at least one. */
  readonly tensors: Tensors;
  /** True: they mean nothing, and what is made of them may be anything of its type. */
  readonly madeUp: boolean;
}

/**
 * How far rows may be from the samples. `drawn`: each column is taken from a sample drawn for it alone. `near`: in every
 * second row each float is moved by up to a tenth too. `anything`: in every third row each may also be nothing, one, negative,
 * or up to ten times as large or as small.
 */
export type Likeness = 'anything' | 'near' | 'drawn';

/** Rows made from samples; the same seed gives the same rows. */
export function probeRows({ tensors, madeUp }: Samples, rows: number, seed: number, likeness: Likeness): Tensors {
  const random = mulberry32(seed);
  const change = likeness === 'drawn' ? undefined : madeUp ? madeUpChange(random) : sampleChange(random, likeness);
  return new Map([...tensors].map(([name, tensor]) => [name, probeTensor(tensor, rows, random, change)]));
}

/** What becomes of an element in a row. */
interface Change {
  float(value: number, row: number): number;
  readonly other?: (value: number | bigint) => number | bigint;
  readonly text?: (value: string) => string;
}

function sampleChange(random: () => number, likeness: Exclude<Likeness, 'drawn'>): Change {
  const near = (value: number): number => value * (0.9 + 0.2 * random());
  const far = [(value: number) => value, () => 0, () => 1, (value: number) => -value, near, ofSize(random, 0.1, 10)];
  if (likeness === 'near') return { float: (value, row) => (row % 2 === 1 ? near(value) : value) };
  return {
    float(value, row) {
      if (row % 3 === 0) return value;
      return row % 3 === 1 ? near(value) : (far[Math.floor(far.length * random())] ?? near)(value);
    },
  };
}

function madeUpChange(random: () => number): Change {
  const small = (most: number): number => Math.floor(random() * most);
  return {
    float: ofSize(random, 0.1, 1000),
    // Booleans are 0 and 1; whole numbers often name one of a few things.
    other: (value) => (typeof value === 'bigint' ? BigInt(small(3)) : small(2)),
    text: () => ['', 'a', 'b'][small(3)] ?? '',
  };
}

/** As many times as large, the order of size being what is drawn. */
function ofSize(random: () => number, least: number, most: number): (value: number) => number {
  return (value) => value * least * (most / least) ** random();
}

function probeTensor(tensor: Tensor, rows: number, random: () => number, change: Change | undefined): Tensor {
  const [given = 0, ...rest] = tensor.dims;
  const width = rest.reduce((product, size) => product * size, 1);
  const dims = [rows, ...rest];
  const drawn = (index: number): number => Math.floor(random() * given) * width + (index % width);
  const { type } = tensor;
  if (type === 'string') {
    const text = change?.text ?? ((value) => value);
    return {
      type,
      dims,
      data: Array.from({ length: rows * width }, (_, index) => text(tensor.data[drawn(index)] ?? '')),
    };
  }
  const data: NumericData = numericData(type, rows * width);
  for (let index = 0; index < data.length; index++) {
    const value = tensor.data[drawn(index)] ?? 0;
    data[index] = changed(type, value, Math.floor(index / width), change);
  }
  return { type, dims, data };
}

function changed(
  type: Exclude<Tensor['type'], 'string'>,
  value: number | bigint,
  row: number,
  change: Change | undefined,
): number | bigint {
  if (change === undefined) return value;
  if (typeof value === 'number' && (type === 'float32' || type === 'float64')) return change.float(value, row);
  if (typeof value === 'number' && type === 'float16')
    return float16OfNumber(change.float(numberOfFloat16(value), row));
  return change.other?.(value) ?? value;
}

/** A small generator with 32 bits of state, public domain. @see https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
