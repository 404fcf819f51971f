import type { BatchGrade } from '../../model-catalog/engine-report.ts';
import { numberOfFloat16 } from '../../model-catalog/float16.ts';
import type { NumericData, Tensor, Tensors } from '../../model-catalog/tensor.ts';
import type { ModelSession } from '../model-session.ts';
import { joinRows, sliceRows } from '../queue/join-rows.ts';

/** Multiples that rows are filled up to, in the order in which they are tried: the lanes of vectors of 128 to 512 bits. */
const multiples = [2, 4, 8, 16] as const;
const sizes = [2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 64] as const;

/**
 * Whether rows score the same alone and in company: each row by itself, then the first and the last rows and shuffled ones in
 * batches of several sizes, all compared bit by bit; then the same with the rows filled up to a multiple. Where rows change
 * each other by more than rounding, or something that is no number differs, each has to run by itself.
 * @param rows tensors whose first dimension counts the same rows, at least two, all different
 */
export async function gradeBatches(
  session: ModelSession,
  rows: Tensors,
  wanted: readonly string[],
): Promise<BatchGrade> {
  const count = rowCount(rows);
  let largest = 0;
  for (const multiple of [1, ...multiples]) {
    const difference = await largestDifference(session, rows, count, wanted, multiple);
    if (difference === 0) return multiple === 1 ? { grade: 'bitwise' } : { grade: 'padded', padTo: multiple };
    largest = Math.max(largest, difference);
  }
  return Number.isFinite(largest) ? { grade: 'tolerance', maxDifference: largest } : { grade: 'single' };
}

async function largestDifference(
  session: ModelSession,
  rows: Tensors,
  count: number,
  wanted: readonly string[],
  multiple: number,
): Promise<number> {
  const run = async (part: Tensors): Promise<Tensors> => {
    const padded = Math.ceil(rowCount(part) / multiple) * multiple;
    return await session.run(joinRows([part], padded), wanted);
  };
  const alone: Tensors[] = [];
  for (let row = 0; row < count; row++) alone.push(sliceRows(await run(sliceRows(rows, row, row + 1)), 0, 1));
  let largest = 0;
  const compare = async (order: readonly number[]): Promise<void> => {
    const together = await run(
      joinRows(
        order.map((row) => sliceRows(rows, row, row + 1)),
        order.length,
      ),
    );
    const expected = joinRows(
      order.map((row) => alone[row] ?? new Map<string, Tensor>()),
      order.length,
    );
    for (const name of wanted)
      largest = Math.max(largest, differenceOf(sliceRows(together, 0, order.length).get(name), expected.get(name)));
  };
  const all = Array.from({ length: count }, (_, row) => row);
  for (const size of sizes.filter((size) => size <= count)) {
    await compare(all.slice(0, size));
    if (size < count) await compare(all.slice(count - size));
    // Every row meets other neighbours: a step that has no divisor in common with most counts.
    await compare(all.slice(0, size).map((row) => (row * 37 + 11) % count));
    if (largest > 0 && multiple < (multiples.at(-1) ?? 1)) return largest;
  }
  return largest;
}

function rowCount(tensors: Tensors): number {
  const [first] = tensors.values();
  return first?.dims[0] ?? 0;
}

/** How far rounding can take the same row in another batch: beyond, rows change each other. */
const rounding = { absolute: 1e-5, relative: 1e-4 } as const;

/** 0 where all bits are equal; infinite beyond rounding. */
function differenceOf(found: Tensor | undefined, expected: Tensor | undefined): number {
  if (found === undefined || expected === undefined || found.data.length !== expected.data.length)
    return Number.POSITIVE_INFINITY;
  if (found.type === 'string' || expected.type === 'string') {
    return [...found.data].every((text, index) => text === expected.data[index]) ? 0 : Number.POSITIVE_INFINITY;
  }
  if (Buffer.compare(bytesOf(found.data), bytesOf(expected.data)) === 0) return 0;
  let largest = 0;
  for (let index = 0; index < found.data.length; index++) {
    const [left, right] = [found, expected].map((tensor) => numberAt(tensor, index)) as [number, number];
    if (Object.is(left, right)) continue;
    const difference = Math.abs(left - right);
    const allowed = rounding.absolute + rounding.relative * Math.abs(right);
    if (!(difference <= allowed)) return Number.POSITIVE_INFINITY;
    // A zero of another sign differs in its bits and by nothing.
    largest = Math.max(largest, difference || Number.MIN_VALUE);
  }
  return largest;
}

function numberAt({ type, data }: Tensor, index: number): number {
  const value = data[index];
  return type === 'float16' ? numberOfFloat16(Number(value)) : Number(value);
}

function bytesOf(data: NumericData): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
