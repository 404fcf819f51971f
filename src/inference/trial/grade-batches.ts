import type { BatchGrade } from '../../model-catalog/engine-report.ts';
import { numberOfFloat16 } from '../../model-catalog/float16.ts';
import type { NumericData, Tensor, Tensors } from '../../model-catalog/tensor.ts';
import type { ModelSession } from '../model-session.ts';
import { joinRows, sliceRows } from '../queue/join-rows.ts';
import { mulberry32 } from './probe-rows.ts';

/** Two rows keep a graph from the ways of a lone one; 16 numbers of 32 bits fill a vector of 512, so that none is left over. */
const padding = { lone: 2, vector: 16 } as const;
/** In this order, as far as the time goes: the large ones first, as rows run together only in batches as large as were tried. */
const sizes = [2, 3, 4, 8, 16, 32, 64, 128, 256, 5, 7, 9, 17, 33, 65] as const;
/** So far whatever the time. */
const leastSize = 4;
/** So many times its budget the sizes may take: a busy moment at load is not to keep rows apart ever after. */
const patience = 3;
const randomBatches = 20;
const largestRandom = 64;
/** Where fewer of the rows differ, the cause is not that one was alone. */
const lonelyShare = 1 / 8;

export interface GradeOptions {
  /** About how long one comparison may take, in milliseconds; there are three at most. */
  readonly budgetMs: number;
  /** See hasVectorOperators: rows are filled up whether a difference was met or not. */
  readonly fillsVectors: boolean;
  /** True where a lone row would cost far more if it were filled up to so many: it runs by itself instead. */
  readonly isTooDear: (padTo: number) => Promise<boolean>;
}

export interface GradedBatches {
  readonly batches: BatchGrade;
  /** The largest batch that was compared; at least 1. */
  readonly largest: number;
}

/** Each row is a run of its own. */
export const oneByOne: GradedBatches = { batches: { grade: 'single' }, largest: 1 };

/**
 * Whether rows score the same alone and in company: each row by itself, then rows in any order in batches of several sizes,
 * all compared bit by bit; then the same with the rows filled up to a multiple. Where rows change each other by more than
 * rounding, or something that is no number differs, each has to run by itself; so it is where rows that all are alike tell nothing,
 * and where filling up would make a lone row too dear.
 * @param rows tensors whose first dimension counts the same rows
 */
export async function gradeBatches(
  session: ModelSession,
  rows: Tensors,
  wanted: readonly string[],
  { budgetMs, fillsVectors, isTooDear }: GradeOptions,
): Promise<GradedBatches> {
  const parts = rowsOf(rows);
  if (new Set(parts.map(bitsOf)).size < 2) return oneByOne;
  const compare = (multiple: number): Promise<Comparison> => compareBatches(session, parts, wanted, multiple, budgetMs);
  const found: Comparison[] = [];
  const tryMultiple = async (multiple: number): Promise<boolean> => {
    const compared = await compare(multiple);
    found.push(compared);
    return compared.difference === 0;
  };
  if (fillsVectors) {
    if (await isTooDear(padding.vector)) return oneByOne;
    if (await tryMultiple(padding.vector)) return padded(padding.vector, found);
    await tryMultiple(1);
  } else {
    if (await tryMultiple(1)) return { batches: { grade: 'bitwise' }, largest: sizeOf(found) };
    const isLonely = (found[0]?.differing ?? 0) >= lonelyShare * parts.length;
    if (isLonely && (await tryMultiple(padding.lone))) return padded(padding.lone, found);
    if (await isTooDear(padding.vector)) return oneByOne;
    if (await tryMultiple(padding.vector)) return padded(padding.vector, found);
  }
  const difference = Math.max(...found.map((each) => each.difference));
  return Number.isFinite(difference)
    ? { batches: { grade: 'tolerance', maxDifference: difference }, largest: sizeOf(found) }
    : oneByOne;
}

function padded(padTo: number, found: readonly Comparison[]): GradedBatches {
  return { batches: { grade: 'padded', padTo }, largest: sizeOf(found) };
}

function sizeOf(found: readonly Comparison[]): number {
  return found.at(-1)?.largest ?? 1;
}

interface Comparison {
  /** The largest that was met; infinite beyond rounding. */
  readonly difference: number;
  /** How many rows differed at all. */
  readonly differing: number;
  /** The largest batch. */
  readonly largest: number;
}

async function compareBatches(
  session: ModelSession,
  parts: readonly Tensors[],
  wanted: readonly string[],
  multiple: number,
  budgetMs: number,
): Promise<Comparison> {
  const run = async (batch: readonly Tensors[]): Promise<Tensors> => {
    const filled = Math.ceil(batch.length / multiple) * multiple;
    return await session.run(joinRows(batch, filled), wanted);
  };
  const started = performance.now();
  const isLate = (times: number, nextMs = 0): boolean => performance.now() + nextMs - started > times * budgetMs;
  let rowMs = 0;
  const alone: Tensors[] = [];
  for (const part of parts) alone.push(sliceRows(await run([part]), 0, 1));
  let difference = 0;
  let largest = 1;
  const differing = new Set<number>();
  const compare = async (order: readonly number[]): Promise<void> => {
    const together = await run(order.flatMap((row) => parts[row] ?? []));
    for (const [index, row] of order.entries()) {
      const each = rowDifference(together, index, alone[row]);
      if (each > 0) differing.add(row);
      difference = Math.max(difference, each);
    }
  };
  const random = mulberry32(multiple);
  const anyRow = (): number => Math.floor(random() * parts.length);
  const shuffled = (size: number): number[] => Array.from({ length: size }, anyRow);
  const inOrder = (size: number): number[] => {
    const first = anyRow();
    return Array.from({ length: size }, (_, index) => (first + index) % parts.length);
  };
  for (const size of sizes) {
    if (difference === Number.POSITIVE_INFINITY || (size > leastSize && isLate(patience, size * rowMs))) break;
    const batchStarted = performance.now();
    await compare(shuffled(size));
    rowMs = (performance.now() - batchStarted) / size;
    if (size <= padding.vector) await compare(inOrder(size));
    largest = Math.max(largest, size);
  }
  for (let count = 0; count < randomBatches && Number.isFinite(difference) && !isLate(1); count++)
    await compare(shuffled(2 + Math.floor(random() * (Math.min(largest, largestRandom) - 1))));
  return { difference, differing: differing.size, largest };
}

/** Each row by itself. */
function rowsOf(tensors: Tensors): Tensors[] {
  const [first] = tensors.values();
  return Array.from({ length: first?.dims[0] ?? 0 }, (_, row) => sliceRows(tensors, row, row + 1));
}

function bitsOf(tensors: Tensors): string {
  return [...tensors.values()]
    .map(({ data }) => (ArrayBuffer.isView(data) ? bytesOf(data).toString('latin1') : JSON.stringify(data)))
    .join();
}

function rowDifference(together: Tensors, index: number, alone: Tensors | undefined): number {
  let largest = 0;
  for (const [name, tensor] of together) {
    const expected = alone?.get(name);
    const width = expected?.data.length ?? 0;
    const [from, to] = [index * width, (index + 1) * width];
    const data = tensor.type === 'string' ? tensor.data.slice(from, to) : tensor.data.subarray(from, to);
    largest = Math.max(largest, differenceOf({ ...tensor, data } as Tensor, expected));
  }
  return largest;
}

/** How far rounding can take the same row in another batch: beyond, rows change each other. */
const rounding = { absolute: 1e-5, relative: 1e-4 } as const;

/** 0 where all bits are equal; infinite beyond rounding. */
function differenceOf(found: Tensor, expected: Tensor | undefined): number {
  if (expected === undefined || found.data.length !== expected.data.length) return Number.POSITIVE_INFINITY;
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
