import type { ModelRow } from '../model-catalog/model-row.ts';
import type { OutputForm } from '../model-catalog/model-tensors.ts';
import type { Tensor, Tensors } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import type { EngineModel } from './inference-engine.ts';
import type { RowForm } from './queue/row-form.ts';
import { fillRows, rowsToTensors } from './row-tensors.ts';

/** Rows of a model with a manifest, as they run together. */
export function matrixRows(
  model: Pick<EngineModel, 'key' | 'inputs' | 'outputs'>,
): RowForm<readonly ModelRow[], number[][]> {
  return {
    count: (rows) => rows.length,
    join: (inputs, rows = inputs[0]?.length ?? 0) => fillRows(model, inputs, rows),
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
  const result: number[][] = Array.from({ length: rows }, () => []);
  for (const output of declared) {
    const { columns, name } = output;
    const tensor = outputs.get(name);
    const first = from ?? 0;
    if (tensor === undefined || !fits(tensor, output, first + rows, from === undefined)) {
      const shape = tensor === undefined ? 'no tensor' : `${tensor.type} [${tensor.dims.join(', ')}]`;
      throw new PredictionError(
        'INFERENCE_FAILED',
        `${key}: output ${name} is ${shape}; expected ${output.type} [${rows}, ${columns}].`,
      );
    }
    const { data } = tensor;
    for (let row = 0; row < rows; row++) {
      const values = result[row] ?? [];
      const start = (first + row) * columns;
      for (let column = 0; column < columns; column++) {
        const value = numberOf(data[start + column], output);
        if (value === undefined)
          throw new PredictionError(
            'INFERENCE_FAILED',
            `${key}: output ${name}, column ${column} is ${output.labels === undefined ? 'no finite number' : 'no label of a declared class'}.`,
          );
        values.push(value);
      }
    }
  }
  return result;
}

/** True for [rows, columns], or [rows] where there is one column, with `rows` rows or at least as many. */
function fits({ type, dims }: Tensor, output: OutputForm, rows: number, exactly: boolean): boolean {
  const [found = 0, columns = 1, ...more] = dims;
  if (dims.length === 0 || more.length > 0 || columns !== output.columns || type !== output.type) return false;
  return exactly ? found === rows : found >= rows;
}

/** undefined where an element is none that a score can be made of. */
function numberOf(value: number | bigint | string | undefined, { labels }: OutputForm): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'string')
    return labels !== undefined && Object.hasOwn(labels, value) ? labels[value] : undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}
