import type { ModelCell, ModelRow } from '../model-catalog/model-row.ts';
import type { InputForm } from '../model-catalog/model-tensors.ts';
import { type NumericData, numericData, type Tensor, type Tensors } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import { fillUp, imageData, imageDataInTurns, imageMisfit, imageMisfitInTurns } from './image-cells.ts';
import type { EngineModel } from './inference-engine.ts';

type Rows = readonly ModelRow[];
type Taking = Pick<EngineModel, 'key' | 'inputs'>;

const noImages: ReadonlyMap<string, Float32Array<ArrayBuffer>> = new Map();
/** Larger numbers become infinite as float32: from the middle between the largest one and 2 to the 128 on. */
const largestFloat32 = 2 ** 128 - 2 ** 103 - 2 ** 75;
const largestOf = { float32: largestFloat32, float64: Number.MAX_VALUE } as const;

/**
 * Rows as the tensors of all inputs. Throws INFERENCE_FAILED for a row of another length, and for an element that its input
 * cannot hold as it is: the model is not run then.
 */
export function rowsToTensors(model: Taking, rows: Rows): Tensors {
  const fault = rowsFault(model, rows);
  if (fault !== undefined) throw fault;
  return fillRows(model, [rows], rows.length);
}

/**
 * Why a model is not run on these rows: one has another length, an image of another length, or an element that its input cannot
 * hold as it is: a number that is not finite (but NaN where the input accepts it), one that is not whole or too large, a text for
 * a number.
 */
export function rowsFault(model: Taking, rows: Rows): PredictionError | undefined {
  const width = widthOf(model.inputs);
  for (let index = 0; index < rows.length; index++) {
    const fault = rowFault(model, rows[index] ?? [], index, width);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** See `rowsFault`. @param width how many cells a row has */
function rowFault(model: Taking, row: ModelRow, index: number, width: number): PredictionError | undefined {
  const { key, inputs } = model;
  if (row.length !== width) return otherLength(key, row, index, width);
  let from = 0;
  for (const input of inputs) {
    if (input.isImage === true) {
      const reason = imageMisfit(input, row[from]);
      if (reason !== undefined) return imageFault(key, input, index, reason);
    } else {
      const fault = columnsFault(model, input, { row, index, from });
      if (fault !== undefined) return fault;
    }
    from += cellsOf(input);
  }
  return undefined;
}

/** See `rowsFault`; other work of the process has its turn between parts of a large image, and the row is not to be changed meanwhile. */
export async function rowFaultInTurns(
  model: Taking,
  row: ModelRow,
  index: number,
): Promise<PredictionError | undefined> {
  const { key, inputs } = model;
  const width = widthOf(inputs);
  if (row.length !== width) return otherLength(key, row, index, width);
  let from = 0;
  for (const input of inputs) {
    if (input.isImage === true) {
      const reason = await imageMisfitInTurns(input, row[from]);
      if (reason !== undefined) return imageFault(key, input, index, reason);
    } else {
      const fault = columnsFault(model, input, { row, index, from });
      if (fault !== undefined) return fault;
    }
    from += cellsOf(input);
  }
  return undefined;
}

function otherLength(key: string, row: ModelRow, index: number, width: number): PredictionError {
  return new PredictionError(
    'INFERENCE_FAILED',
    `${key}: row ${index} has ${row.length} columns; the model takes ${width}.`,
  );
}

function columnsFault(
  { key, inputs }: Taking,
  input: InputForm,
  { row, index, from }: { readonly row: ModelRow; readonly index: number; readonly from: number },
): PredictionError | undefined {
  const column = firstMisfit(input, row, from);
  if (column === undefined) return undefined;
  return new PredictionError(
    'INFERENCE_FAILED',
    `${key}: row ${index}, column ${column}${inputs.length > 1 ? ` (input ${input.name})` : ''} is ${wanted[input.type]}; the model was not run.`,
    // A rule of ours, and no failure of the graph: see EngineModel.prove.
    { cause: new RangeError(wanted[input.type]) },
  );
}

function imageFault(key: string, { name }: InputForm, index: number, reason: string): PredictionError {
  const message = `${key}: row ${index}, the image of input ${name} ${reason}; the model was not run.`;
  return new PredictionError('INFERENCE_FAILED', message, { cause: new RangeError(reason) });
}

/** What an element that does not fit is, by the type of its input. */
const wanted: Readonly<Record<InputForm['type'], string>> = {
  float32: 'no finite float32',
  float64: 'no finite float64',
  int32: 'no whole number that int32 holds',
  int64: 'no whole number that a double holds exactly, as int64 needs it',
  bool: 'neither 0 nor 1, which bool needs',
  string: 'no text that a tensor holds: well-formed Unicode without NUL',
};

/** The first column of an input whose element it cannot hold; `from` is where its columns begin. */
function firstMisfit(
  { type, columns, acceptsNaN = false }: InputForm,
  row: ModelRow,
  from: number,
): number | undefined {
  const to = from + columns;
  if (type === 'float32' || type === 'float64') {
    const largest = largestOf[type];
    for (let column = from; column < to; column++) {
      const value = row[column];
      // Nothing at all is no NaN: nobody said that it is missing on purpose.
      const fits = typeof value === 'number' && (Math.abs(value) <= largest || (acceptsNaN && Number.isNaN(value)));
      if (!fits) return column;
    }
    return undefined;
  }
  for (let column = from; column < to; column++) if (!holds[type](row[column])) return column;
  return undefined;
}

const holds: Readonly<Record<Exclude<InputForm['type'], 'float32' | 'float64'>, (value: unknown) => boolean>> = {
  int32: (value) => typeof value === 'number' && value === Math.trunc(value) && Math.abs(value) <= 2 ** 31 - 1,
  int64: (value) => Number.isSafeInteger(value),
  bool: (value) => value === 0 || value === 1,
  // ONNX Runtime takes texts up to the first NUL, and half a character as another one.
  string: (value) => typeof value === 'string' && value.isWellFormed() && !value.includes('\0'),
};

/**
 * Rows one after the other, the last one repeated up to `count`. They had no fault when they were asked for; throws
 * INFERENCE_FAILED where one has another length by now.
 * @param images by input, where they are put together already
 */
export function fillRows(
  { key, inputs }: Taking,
  parts: readonly Rows[],
  count: number,
  images: ReadonlyMap<string, Float32Array<ArrayBuffer>> = noImages,
): Tensors {
  const width = widthOf(inputs);
  for (const rows of parts) {
    for (const row of rows)
      if (row.length !== width)
        throw new PredictionError('INFERENCE_FAILED', `${key}: the rows of a call were changed while it waited.`);
  }
  const tensors = new Map<string, Tensor>();
  let from = 0;
  for (const input of inputs) {
    tensors.set(input.name, fillInput(input, parts, { count, from, width }, images.get(input.name)));
    from += cellsOf(input);
  }
  return tensors;
}

/** See `fillRows`; the images of the rows are copied in turns. */
export async function fillRowsInTurns(model: Taking, parts: readonly Rows[], count: number): Promise<Tensors> {
  const images = new Map<string, Float32Array<ArrayBuffer>>();
  let from = 0;
  for (const input of model.inputs) {
    const { name, columns } = input;
    if (input.isImage === true) images.set(name, await imageDataInTurns(parts, { count, from, columns }));
    from += cellsOf(input);
  }
  return fillRows(model, parts, count, images);
}

interface Place {
  readonly count: number;
  /** Where the columns of the input begin in a row of `width`. */
  readonly from: number;
  readonly width: number;
}

function fillInput(
  input: InputForm,
  parts: readonly Rows[],
  { count, from, width }: Place,
  image: Float32Array<ArrayBuffer> | undefined,
): Tensor {
  const { type, columns, shape = [columns] } = input;
  const dims = [count, ...shape];
  const to = from + columns;
  if (type === 'string') {
    const data = parts.flatMap((rows) => rows.flatMap((row) => row.slice(from, to) as string[]));
    const last = data.slice(data.length - columns);
    while (data.length < count * columns) data.push(...last);
    return { type, dims, data };
  }
  if (input.isImage === true) return { type, dims, data: image ?? imageData(parts, { count, from, columns }) };
  const data = numericData(type, count * columns);
  fillNumbers(data, input, parts, { from, width });
  fillUp(data, parts, columns);
  return { type, dims, data };
}

function fillNumbers(
  data: NumericData,
  { type, columns }: InputForm,
  parts: readonly Rows[],
  { from, width }: Omit<Place, 'count'>,
): void {
  let at = 0;
  for (const rows of parts) {
    for (const row of rows) {
      // A row of one input alone is copied as it is: nothing is faster.
      if (columns === width && type !== 'int64') data.set(row as readonly never[], at);
      else for (let column = 0; column < columns; column++) data[at + column] = elementOf(type, row[from + column]);
      at += columns;
    }
  }
}

function elementOf(type: InputForm['type'], value: ModelCell | undefined): number | bigint {
  return type === 'int64' ? BigInt(Number(value ?? 0)) : Number(value);
}

function widthOf(inputs: readonly InputForm[]): number {
  let width = 0;
  for (const input of inputs) width += cellsOf(input);
  return width;
}

/** How many cells of a row an input takes. */
function cellsOf({ isImage, columns }: InputForm): number {
  return isImage === true ? 1 : columns;
}
