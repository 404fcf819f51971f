import { type NumericData, numericData, type Tensor, type TensorForm, type Tensors } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import type { EngineModel } from './inference-engine.ts';

type Rows = readonly (readonly number[])[];

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
 * @param make gives the memory of the tensor
 */
export function rowsToTensor(
  { key, input }: Pick<EngineModel, 'key' | 'input'>,
  rows: Rows,
  make: (count: number) => NumericData = (count) => numericData(input.type, count),
): Tensor {
  const { columns, type, acceptsNaN = false } = input;
  const data = make(rows.length * columns) as Float32Array | Float64Array;
  let at = 0;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] ?? [];
    if (row.length !== columns) {
      throw new PredictionError(
        'INFERENCE_FAILED',
        `${key}: row ${index} has ${row.length} columns; the model takes ${columns}.`,
      );
    }
    for (let column = 0; column < columns; column++) data[at++] = row[column] ?? Number.NaN;
  }
  for (let bad = 0; bad < data.length; bad++) {
    const value = data[bad] ?? 0;
    if (Number.isFinite(value) || (acceptsNaN && Number.isNaN(value))) continue;
    throw new PredictionError(
      'INFERENCE_FAILED',
      `${key}: row ${Math.floor(bad / columns)}, column ${bad % columns} is no finite ${type}; the model was not run.`,
    );
  }
  return { type, dims: [rows.length, columns], data: data as NumericData };
}

/** The samples of a model as what its graph is tried with; nothing where there are none. */
export function sampleTensors(model: EngineModel): { readonly samples?: Tensors } {
  if (model.samples === undefined || model.samples.length === 0) return {};
  return { samples: new Map([[model.input.name, rowsToTensor(model, model.samples)]]) };
}

/** The output tensor as rows. Throws INFERENCE_FAILED where its shape or a number is not what the manifest declares. */
export function tensorToRows(
  { key, output }: Pick<EngineModel, 'key' | 'output'>,
  outputs: Tensors,
  rows: number,
): number[][] {
  const { columns, name } = output;
  const tensor = outputs.get(name);
  const [foundRows, foundColumns] = tensor?.dims ?? [];
  if (tensor === undefined || tensor.dims.length !== 2 || foundRows !== rows || foundColumns !== columns) {
    const shape = tensor === undefined ? 'no tensor' : `[${tensor.dims.join(', ')}]`;
    throw new PredictionError(
      'INFERENCE_FAILED',
      `${key}: output ${name} is ${shape}; expected [${rows}, ${columns}].`,
    );
  }
  const data = tensor.data as Float32Array | Float64Array;
  const result: number[][] = [];
  for (let row = 0; row < rows; row++) {
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
