import { setImmediate as nextTurn } from 'node:timers/promises';
import { type NumericData, numericData, type Tensor, type Tensors } from '../model-catalog/tensor.ts';

/**
 * Bytes that are worked on in one turn of the event loop: half a millisecond, most of it for memory that is touched for the first time. As
 * many volumes as are under way at once take as many times that.
 */
const bytesInTurn = 1_048_576;

type NumericTensor = Extract<Tensor, { data: NumericData }>;

/** A tensor of so many bytes is copied in turns: at once it would keep everybody else waiting. */
export function isLarge({ byteLength }: NumericData): boolean {
  return byteLength > bytesInTurn;
}

/** The largest parts of an array that are worked on in one turn each, in their order; views. Others have their turn in between. */
export async function* partsInTurns<Data extends NumericData>(data: Data): AsyncGenerator<{ part: Data; at: number }> {
  const length = bytesInTurn / data.BYTES_PER_ELEMENT;
  for (let at = 0; at < data.length; at += length) {
    if (at > 0) await nextTurn();
    yield { part: data.subarray(at, at + length) as Data, at };
  }
}

/** Writes `source` into `target` from `at` on. Both are of one element type; `source` is not to be changed meanwhile. */
export async function copyInTurns(target: NumericData, source: NumericData, at: number): Promise<void> {
  for await (const { part, at: from } of partsInTurns(source))
    (target as Float64Array).set(part as Float64Array, at + from);
}

/** The tensor with numbers of its own, in a buffer that holds nothing else. */
export async function ownCopy(tensor: NumericTensor): Promise<NumericTensor> {
  const data = numericData(tensor.type, tensor.data.length);
  await copyInTurns(data, tensor.data, 0);
  return { ...tensor, data };
}

/** The tensors that are copied in turns, by their names. */
export function largeOnes(feeds: Tensors): readonly [name: string, tensor: NumericTensor][] {
  return [...feeds].flatMap(([name, tensor]) =>
    tensor.type !== 'string' && isLarge(tensor.data) ? [[name, tensor]] : [],
  );
}
