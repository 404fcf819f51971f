import { type NumericData, numericData, type Tensor, type TensorForm, type Tensors } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import type { EngineModel } from './inference-engine.ts';
import type { RowForm } from './queue/row-form.ts';

type Rows = readonly (readonly number[])[];

/** Larger numbers become infinite as float32: from the middle between the largest one and 2 to the 128 on. */
const largestFloat32 = 2 ** 128 - 2 ** 103 - 2 ** 75;

/** What of an opened graph is not as the manifest declares it: one input and one output, rows by columns, rows left free. */
export function matrixMisfit(
  { input, output }: Pick<EngineModel, 'input' | 'output'>,
  found: {
    readonly inputs: readonly TensorForm[];
    readonly outputs: readonly TensorForm[];
    readonly otherOutputs: readonly string[];
  },
): string | undefined {
  if (found.otherOutputs.includes(output.name)) return `output ${output.name} is not a tensor`;
  return (
    sideMisfit('input', input, found.inputs) ??
    (found.inputs.length > 1
      ? `model.onnx has ${found.inputs.length} inputs (${namesOf(found.inputs)}); the manifest declares one, ${input.name}`
      : undefined) ??
    sideMisfit('output', output, found.outputs)
  );
}

function sideMisfit(
  side: 'input' | 'output',
  expected: EngineModel['input'] | EngineModel['output'],
  found: readonly TensorForm[],
): string | undefined {
  const tensor = found.find(({ name }) => name === expected.name);
  if (tensor === undefined) return `model.onnx has no ${side} named ${expected.name}; it has: ${namesOf(found)}`;
  if (tensor.type !== expected.type)
    return `model.onnx: ${side} ${expected.name} has type ${tensor.type}; the manifest declares ${expected.type}`;
  const [rows, columns] = tensor.shape;
  const fits = tensor.shape.length === 2 && rows === null && columns === expected.columns;
  if (fits) return undefined;
  const shape = tensor.shape.map((size, index) => size ?? (index === 0 ? 'n' : '?')).join(', ');
  return `model.onnx: ${side} ${expected.name} has shape [${shape}]; the manifest declares [rows, ${expected.columns}], rows left free`;
}

function namesOf(forms: readonly TensorForm[]): string {
  return forms.map(({ name }) => name).join(', ');
}

/**
 * Rows as the input tensor. Throws INFERENCE_FAILED for a row of another length, and for a number that is not finite in the
 * element type, but NaN where the input accepts it: the model is not run then.
 */
export function rowsToTensor(model: Pick<EngineModel, 'key' | 'input'>, rows: Rows): Tensor {
  const fault = rowsFault(model, rows);
  if (fault !== undefined) throw fault;
  return fillRows(model, [rows], rows.length);
}

/** Why a model is not run on these rows: one has another length, or a number that its element type cannot hold. */
export function rowsFault({ key, input }: Pick<EngineModel, 'key' | 'input'>, rows: Rows): PredictionError | undefined {
  const { columns, type, acceptsNaN = false } = input;
  const largest = type === 'float32' ? largestFloat32 : Number.MAX_VALUE;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] ?? [];
    if (row.length !== columns)
      return new PredictionError(
        'INFERENCE_FAILED',
        `${key}: row ${index} has ${row.length} columns; the model takes ${columns}.`,
      );
    for (let column = 0; column < columns; column++) {
      const value = row[column];
      // Nothing at all is no NaN: nobody said that it is missing on purpose.
      if (value !== undefined && (Math.abs(value) <= largest || (acceptsNaN && Number.isNaN(value)))) continue;
      return new PredictionError(
        'INFERENCE_FAILED',
        `${key}: row ${index}, column ${column} is no finite ${type}; the model was not run.`,
      );
    }
  }
  return undefined;
}

/**
 * Rows one after the other, the last one repeated up to `count`. They had no fault when they were asked for; throws
 * INFERENCE_FAILED where one has another length by now.
 */
function fillRows(
  { key, input: { columns, type } }: Pick<EngineModel, 'key' | 'input'>,
  parts: readonly Rows[],
  count: number,
): Tensor {
  const data = numericData(type, count * columns) as Float32Array | Float64Array;
  let at = 0;
  for (const rows of parts) {
    for (const row of rows) {
      if (row.length !== columns)
        throw new PredictionError('INFERENCE_FAILED', `${key}: the rows of a call were changed while it waited.`);
      data.set(row, at);
      at += columns;
    }
  }
  for (const lastRow = at - columns; at < data.length; at += columns) data.copyWithin(at, lastRow, lastRow + columns);
  return { type, dims: [count, columns], data: data as NumericData };
}

/** Rows of a model with a manifest, as they run together. */
export function matrixRows(model: Pick<EngineModel, 'key' | 'input' | 'output'>): RowForm<Rows, number[][]> {
  const { input } = model;
  return {
    count: (rows) => rows.length,
    join: (inputs, rows = inputs[0]?.length ?? 0) => new Map([[input.name, fillRows(model, inputs, rows)]]),
    split: (outputs, rows, from) => tensorToRows(model, outputs, rows, from),
    slice: (rows, from, to) => rows.slice(from, to),
    merge: (answers) => answers.flat(),
  };
}

/** The samples of a model as what its graph is tried with; nothing where there are none. */
export function sampleTensors(model: EngineModel): { readonly samples?: Tensors } {
  if (model.samples === undefined || model.samples.length === 0) return {};
  return { samples: new Map([[model.input.name, rowsToTensor(model, model.samples)]]) };
}

/**
 * Rows of the output tensor: all, of which there are `rows`, or those from `from` on.
 * Throws INFERENCE_FAILED where its shape or a number is not what the manifest declares.
 */
function tensorToRows(
  { key, output }: Pick<EngineModel, 'key' | 'output'>,
  outputs: Tensors,
  rows: number,
  from?: number,
): number[][] {
  const { columns, name } = output;
  const tensor = outputs.get(name);
  const [foundRows = 0, foundColumns] = tensor?.dims ?? [];
  const first = from ?? 0;
  const fits = from === undefined ? foundRows === rows : foundRows >= first + rows;
  if (tensor === undefined || tensor.dims.length !== 2 || !fits || foundColumns !== columns) {
    const shape = tensor === undefined ? 'no tensor' : `[${tensor.dims.join(', ')}]`;
    throw new PredictionError(
      'INFERENCE_FAILED',
      `${key}: output ${name} is ${shape}; expected [${rows}, ${columns}].`,
    );
  }
  const data = tensor.data as Float32Array | Float64Array;
  const result: number[][] = [];
  for (let row = first; row < first + rows; row++) {
    const values: number[] = [];
    for (let column = 0; column < columns; column++) {
      const value = data[row * columns + column];
      if (value === undefined || !Number.isFinite(value))
        throw new PredictionError('INFERENCE_FAILED', `${key}: output ${name}, column ${column} is no finite number.`);
      values.push(value);
    }
    result.push(values);
  }
  return result;
}
