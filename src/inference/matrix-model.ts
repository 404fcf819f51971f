import type { ModelRow } from '../model-catalog/model-row.ts';
import type { OutputForm } from '../model-catalog/model-tensors.ts';
import type { Tensor, Tensors } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import { numbersInTurn } from './image-rows-fault.ts';
import type { EngineModel } from './inference-engine.ts';
import type { RowForm } from './queue/row-form.ts';
import { fillRows, fillRowsInTurns, rowsToTensors } from './row-tensors.ts';

/** Rows of a model with a manifest, as they run together. */
export function matrixRows(
  model: Pick<EngineModel, 'key' | 'inputs' | 'outputs'>,
): RowForm<readonly ModelRow[], number[][]> {
  const images = model.inputs.reduce((sum, { isImage, columns }) => (isImage === true ? sum + columns : sum), 0);
  return {
    count: (rows) => rows.length,
    join: (inputs, rows = inputs[0]?.length ?? 0) =>
      rows > 1 && rows * images > numbersInTurn ? fillRowsInTurns(model, inputs, rows) : fillRows(model, inputs, rows),
    split: (outputs, rows, from) => tensorsToRows(model, outputs, rows, from),
    slice: (rows, from, to) => rows.slice(from, to),
    merge: (answers) => answers.flat(),
  };
}

/** The samples of a model as what its graph is tried with; nothing where there are none. */
export function sampleTensors(model: EngineModel): { readonly samples?: Tensors } {
  if (model.samples === undefined || model.samples.length === 0) return {};
  return { samples: rowsToTensors(model, model.samples) };
}

/**
 * Rows of the outputs, their columns one output after the other: all, of which there are `rows`, or those from `from` on.
 * Throws INFERENCE_FAILED where the shape of an output or an element is not what the manifest declares.
 */
function tensorsToRows(
  { key, outputs: declared }: Pick<EngineModel, 'key' | 'outputs'>,
  outputs: Tensors,
  rows: number,
  from?: number,
): number[][] {
  const first = from ?? 0;
  const result: number[][] = [];
  for (const output of declared) {
    const { columns, name } = output;
    const { data } = fittingTensor(key, output, outputs.get(name), rows, from);
    for (let row = 0; row < rows; row++) {
      let values = result[row];
      if (values === undefined) {
        values = [];
        result.push(values);
      }
      const end = (first + row + 1) * columns;
      for (let at = end - columns; at < end; at++) {
        const value = data[at];
        const number = typeof value === 'number' ? value : numberOf(value, output);
        if (!Number.isFinite(number)) throw noScore(key, output, columns - end + at);
        values.push(number);
      }
    }
  }
  return result;
}

/** The tensor of an output: [rows, columns], or [rows] where there is one column. Throws INFERENCE_FAILED where it is another. */
function fittingTensor(
  key: string,
  { name, type, columns }: OutputForm,
  tensor: Tensor | undefined,
  rows: number,
  from: number | undefined,
): Tensor {
  if (tensor !== undefined && tensor.type === type) {
    const { dims } = tensor;
    const found = dims[0] ?? 0;
    const isWide = dims.length === 2 ? dims[1] === columns : dims.length === 1 && columns === 1;
    if (isWide && (from === undefined ? found === rows : found >= from + rows)) return tensor;
  }
  const shape = tensor === undefined ? 'no tensor' : `${tensor.type} [${tensor.dims.join(', ')}]`;
  throw new PredictionError(
    'INFERENCE_FAILED',
    `${key}: output ${name} is ${shape}; expected ${type} [${rows}, ${columns}].`,
  );
}

/** NaN where an element is none that a score can be made of. */
function numberOf(value: bigint | string | undefined, { labels }: OutputForm): number {
  if (typeof value === 'string')
    return labels !== undefined && Object.hasOwn(labels, value) ? (labels[value] ?? Number.NaN) : Number.NaN;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

function noScore(key: string, { name, labels }: OutputForm, column: number): PredictionError {
  const what = labels === undefined ? 'no finite number' : 'no label of a declared class';
  const message = `${key}: output ${name}, column ${column} is ${what}.`;
  // A rule of ours, and no failure of the graph: see EngineModel.prove.
  return new PredictionError('INFERENCE_FAILED', message, { cause: new RangeError(what) });
}
