import type { ModelCell, ModelRow } from '../model-catalog/model-row.ts';
import type { InputForm } from '../model-catalog/model-tensors.ts';
import type { NumericData } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import { copyInTurns, partsInTurns } from './copy-in-turns.ts';

type Rows = readonly ModelRow[];
/** All numbers of one; tensors are made in buffers that threads hand over. */
type Image = Float32Array<ArrayBuffer>;

/** What is wrong with the cell of an image: nothing else stands in it, and every number of it is looked at where it lies. */
export function imageMisfit(input: InputForm, cell: ModelCell | undefined): string | undefined {
  return imageFormMisfit(input, cell) ?? numbersMisfit(cell as Float32Array);
}

/** See `imageMisfit`; other work of the process has its turn between parts of a large one. */
export async function imageMisfitInTurns(input: InputForm, cell: ModelCell | undefined): Promise<string | undefined> {
  const misfit = imageFormMisfit(input, cell);
  if (misfit !== undefined) return misfit;
  for await (const { part, at } of partsInTurns(cell as Image)) {
    const found = numbersMisfit(part, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function imageFormMisfit({ columns }: InputForm, cell: ModelCell | undefined): string | undefined {
  if (!(cell instanceof Float32Array))
    return `is a ${typeof cell}, where the ${columns} numbers of an image are needed`;
  return cell.length === columns ? undefined : `has ${cell.length} numbers; the model takes ${columns}`;
}

/** @param from which number of the image the first one is */
function numbersMisfit(numbers: Float32Array, from = 0): string | undefined {
  const at = firstNotFinite(numbers);
  return at === undefined ? undefined : `has ${numbers[at]} as its number ${from + at}, which is no finite float32`;
}

/** Where one number is not finite the sum is not, while that of any finite float32 that fit into memory is, as a double. */
function firstNotFinite(numbers: Float32Array): number | undefined {
  let [even, odd] = [0, 0];
  let at = 0;
  // Two sums, for each number waits for the one before it.
  for (; at + 1 < numbers.length; at += 2) {
    even += numbers[at] as number;
    odd += numbers[at + 1] as number;
  }
  if (at < numbers.length) even += numbers[at] as number;
  if (Number.isFinite(even) && Number.isFinite(odd)) return undefined;
  return numbers.findIndex((number) => !Number.isFinite(number));
}

export interface ImagePlace {
  /** How many images there shall be. */
  readonly count: number;
  /** Which cell of a row they are. */
  readonly from: number;
  /** Numbers of one of them. */
  readonly columns: number;
}

/**
 * The images of rows one after the other, the last one repeated up to `count`; of one row its own array, which is not copied.
 * Throws INFERENCE_FAILED where one has another length than when it was looked at.
 */
export function imageData(parts: readonly Rows[], place: ImagePlace): Image {
  const images = imagesAt(parts, place);
  const [first] = images;
  if (place.count === 1 && first !== undefined) return first;
  const data = new Float32Array(place.count * place.columns);
  images.forEach((image, index) => {
    data.set(image, index * place.columns);
  });
  return data;
}

/** See `imageData`; large ones are copied in turns, and the rows are not to be changed meanwhile. */
export async function imageDataInTurns(parts: readonly Rows[], place: ImagePlace): Promise<Image> {
  const images = imagesAt(parts, place);
  const [first] = images;
  if (place.count === 1 && first !== undefined) return first;
  const data = new Float32Array(place.count * place.columns);
  for (const [index, image] of images.entries()) await copyInTurns(data, image, index * place.columns);
  return data;
}

/** As many as are wanted. */
function imagesAt(parts: readonly Rows[], { count, from, columns }: ImagePlace): readonly Image[] {
  const images: Image[] = [];
  for (const rows of parts) {
    for (const row of rows) {
      const cell = row[from];
      if (!(cell instanceof Float32Array) || cell.length !== columns)
        throw new PredictionError('INFERENCE_FAILED', 'The image of a call was changed while it waited.');
      images.push(cell as Image);
    }
  }
  const last = images.at(-1);
  if (last === undefined) throw new PredictionError('INFERENCE_FAILED', 'There is no image to run.');
  while (images.length < count) images.push(last);
  return images;
}

/** The last row once more for each that is wanted beyond those of the calls. */
export function fillUp(data: NumericData, parts: readonly Rows[], columns: number): void {
  let at = columns * parts.reduce((rows, part) => rows + part.length, 0);
  for (const lastRow = at - columns; at < data.length; at += columns) data.copyWithin(at, lastRow, lastRow + columns);
}
