import { readFileSync } from 'node:fs';
import path from 'node:path';
import { float16OfNumber, numberOfFloat16 } from '../../src/model-catalog/float16.ts';
import {
  type ElementType,
  elementCount,
  numericData,
  type Tensor,
  type Tensors,
} from '../../src/model-catalog/tensor.ts';
import { casesDir, readCsv } from './cases.ts';

/** An ONNX graph of others with what it is fed and what it answers. */
export interface OnnxCase {
  readonly name: string;
  /** What ONNX Runtime made of it elsewhere: `match`, or how it refused it. */
  readonly verdict: string;
  artefact(): Uint8Array;
  runs(): OnnxRun[];
}

export interface OnnxRun {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
}

interface StoredTensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** NaN and infinities are texts. */
  readonly data?: readonly (number | string | boolean)[];
  /** `i/n` in place of data: each element is its index divided by the count. */
  readonly rule?: 'i/n';
}

interface StoredRun {
  readonly inputs: Record<string, StoredTensor>;
  readonly outputs: Record<string, StoredTensor>;
}

/** The official operator cases, and the small models. */
export function onnxCases(): OnnxCase[] {
  const operators = readCsv('onnx/index.csv').map(({ group = '', name = '', ort_1_30: verdict = '' }) =>
    onnxCase(path.join(group, name), verdict),
  );
  const models = readCsv('onnx/models_index.csv').map(({ name = '', status: verdict = '' }) =>
    onnxCase(path.join('models', name), verdict),
  );
  return [...operators, ...models];
}

function onnxCase(name: string, verdict: string): OnnxCase {
  const read = (file: string): Buffer => readFileSync(path.join(casesDir, 'onnx', name, file));
  return {
    name,
    verdict,
    artefact: () => new Uint8Array(read('model.onnx')),
    runs() {
      const stored = JSON.parse(read('io.json').toString('utf8')) as StoredRun | { readonly cases: StoredRun[] };
      const runs = 'cases' in stored ? stored.cases : [stored];
      return runs.map(({ inputs, outputs }) => ({ inputs: tensorsOf(inputs), outputs: tensorsOf(outputs) }));
    },
  };
}

function tensorsOf(stored: Record<string, StoredTensor>): Tensors {
  return new Map(Object.entries(stored).map(([name, tensor]) => [name, tensorOf(tensor)]));
}

function tensorOf({ dtype: type, shape: dims, data: values = [], rule }: StoredTensor): Tensor {
  if (type === 'string') return { type, dims, data: values.map(String) };
  const count = elementCount(dims);
  const data = numericData(type, count);
  for (let index = 0; index < count; index++) {
    const value = rule === 'i/n' ? index / count : values[index];
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = BigInt(value ?? 0);
    else data[index] = type === 'float16' ? float16OfNumber(Number(value)) : Number(value);
  }
  return { type, dims, data };
}

/** What of a tensor is not as stored, within 1e-4 + 1e-3 of the value; undefined for nothing. */
export function storedMisfit(found: Tensor | undefined, stored: Tensor): string | undefined {
  if (found === undefined) return 'is absent';
  if (found.type !== stored.type) return `has type ${found.type}; stored is ${stored.type}`;
  if (found.dims.join() !== stored.dims.join()) return `has shape [${found.dims}]; stored is [${stored.dims}]`;
  if (found.data.length !== stored.data.length) return `has ${found.data.length} elements`;
  const index = Array.from<number | bigint | string>(stored.data).findIndex(
    (value, at) => !isNear(stored.type, found.data[at], value),
  );
  return index < 0 ? undefined : `has ${found.data[index]} at ${index}; stored is ${stored.data[index]}`;
}

function isNear(type: ElementType, found: unknown, stored: unknown): boolean {
  if (typeof stored === 'string' || typeof stored === 'bigint') return found === stored;
  const [left, right] = [found, stored].map((value) =>
    type === 'float16' ? numberOfFloat16(Number(value)) : Number(value),
  ) as [number, number];
  return Object.is(left, right) || left === right || Math.abs(left - right) <= 1e-4 + 1e-3 * Math.abs(right);
}
