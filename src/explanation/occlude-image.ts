import { setImmediate } from 'node:timers/promises';
import type { ImageLayout } from '../model-catalog/image-layout.ts';
import type { ModelRow, RunRows } from '../model-catalog/model-row.ts';
import { patchStarts } from '../model-catalog/patch-starts.ts';
import type { OcclusionSaliency } from '../model-catalog/saliency-schema.ts';
import type { SaliencyMap } from './saliency-map.ts';

/** What a map is about, and the number of an output row that it follows. */
export interface FollowedScore {
  readonly outcome: string;
  /** Throws INFERENCE_FAILED where the row has none. */
  of(row: readonly number[]): number;
}

export interface OccludedImage {
  /** This subject's model row. */
  readonly inputs: ModelRow;
  /** Which of its cells is the image. */
  readonly cell: number;
  readonly layout: ImageLayout;
  readonly saliency: Pick<OcclusionSaliency, 'patch' | 'stride' | 'baseline'>;
  /** Runs the model; see LoadedModel.run. */
  readonly run: RunRows;
  readonly scores: readonly FollowedScore[];
}

/** Numbers of the images of one run: what is copied at once keeps nobody waiting, and little memory. */
const numbersOfRun = 250_000;
/** Numbers that are looked at or written in one turn of the event loop: about a millisecond. */
const numbersInTurn = 500_000;

/**
 * Saliency by occlusion (Zeiler and Fergus 2014, doi:10.1007/978-3-319-10590-1_53): how much each score falls when one patch of the
 * image is replaced by the baseline, for patches that cover all of it. The subject as it is runs with them. The same inputs
 * give the same numbers. Throws what `run` throws, and INFERENCE_FAILED where the model gives no score.
 */
export async function occludeImage({
  inputs,
  cell,
  layout,
  saliency,
  run,
  scores,
}: OccludedImage): Promise<SaliencyMap[]> {
  const image = inputs[cell];
  if (!(image instanceof Float32Array)) throw new RangeError(`the cell ${cell} is no image`);
  const [height, width] = saliency.patch;
  const rows = patchStarts(layout.rows, height, saliency.stride[0]);
  const columns = patchStarts(layout.columns, width, saliency.stride[1]);
  const baseline = saliency.baseline === 'mean' ? await meansOf(image, layout) : undefined;
  const baselineOf = (channel: number): number => baseline?.[channel] ?? Number(saliency.baseline);
  const places = rows.flatMap((row) => columns.map((column) => ({ row, column })));
  const occludedBy = imageWithoutPatch(image, layout, baselineOf);
  const without = async ({ row, column }: (typeof places)[number]): Promise<ModelRow> =>
    inputs.with(cell, await occludedBy({ row, column, height, width }));

  const values = scores.map(() => new Float32Array(places.length));
  const whole: number[] = [];
  const mostRows = Math.max(1, Math.floor(numbersOfRun / image.length));
  for (let from = -1; from < places.length; from += mostRows) {
    const asked = Array.from({ length: Math.min(mostRows, places.length - from) }, (_, at) => from + at);
    // Others have their turn after what a large image takes here, and before it is looked at and copied once more.
    await setImmediate();
    const occluded: ModelRow[] = [];
    for (const at of asked) occluded.push(places[at] === undefined ? inputs : await without(places[at]));
    await setImmediate();
    const outputs = await run(occluded);
    for (const [index, at] of asked.entries()) {
      scores.forEach((score, which) => {
        const value = score.of(outputs[index] ?? []);
        if (at < 0) whole[which] = value;
        else (values[which] as Float32Array)[at] = (whole[which] ?? Number.NaN) - value;
      });
    }
  }
  const centres = {
    rows: rows.map((start) => start + height / 2),
    columns: columns.map((start) => start + width / 2),
  };
  return scores.map(({ outcome }, which) => ({ outcome, ...centres, values: values[which] as Float32Array }));
}

interface Patch {
  readonly row: number;
  readonly column: number;
  readonly height: number;
  readonly width: number;
}

/**
 * The image without a patch. One that is as large as a whole run is written into one and the same array each time: whoever has it must be done
 * with it before the next is asked for. Other work of the process has its turn in between.
 */
function imageWithoutPatch(
  image: Float32Array,
  layout: ImageLayout,
  baselineOf: (channel: number) => number,
): (patch: Patch) => Promise<Float32Array> {
  const isAlone = image.length > numbersOfRun;
  let kept: { readonly occluded: Float32Array; readonly patch: Patch } | undefined;
  return async (patch) => {
    if (kept !== undefined)
      await inLines(kept.patch, layout, (from, to) => kept?.occluded.set(image.subarray(from, to), from));
    const occluded = kept?.occluded ?? (await copied(image));
    if (isAlone) kept = { occluded, patch };
    await inLines(patch, layout, (from, to, block) => {
      const { inner, channelOf } = layout;
      if (inner === 1) occluded.fill(baselineOf(channelOf(block, 0)), from, to);
      else for (let at = from; at < to; at++) occluded[at] = baselineOf(channelOf(block, at % inner));
    });
    return occluded;
  };
}

async function copied(image: Float32Array): Promise<Float32Array> {
  const copy = new Float32Array(image.length);
  for (let at = 0; at < image.length; at += numbersInTurn) {
    if (at > 0) await setImmediate();
    copy.set(image.subarray(at, at + numbersInTurn), at);
  }
  return copy;
}

/** Does something with each line of a patch: the numbers from one index to before another, and the block that they are in. */
async function inLines(
  { row, column, height, width }: Patch,
  { rows, columns, outer, inner }: ImageLayout,
  work: (from: number, to: number, block: number) => void,
): Promise<void> {
  let sinceTurn = 0;
  for (let block = 0; block < outer; block++) {
    for (let y = row; y < row + height; y++) {
      const from = ((block * rows + y) * columns + column) * inner;
      work(from, from + width * inner, block);
      sinceTurn += width * inner;
      if (sinceTurn < numbersInTurn) continue;
      await setImmediate();
      sinceTurn = 0;
    }
  }
}

/** The mean of each channel. */
async function meansOf(
  image: Float32Array,
  { rows, columns, outer, inner, channels, channelOf }: ImageLayout,
): Promise<Float64Array> {
  const sums = new Float64Array(channels);
  const pixels = rows * columns;
  let sinceTurn = 0;
  for (let block = 0; block < outer; block++) {
    for (let within = 0; within < inner; within++) {
      let sum = 0;
      for (let pixel = 0; pixel < pixels; pixel++)
        sum += image[(block * pixels + pixel) * inner + within] ?? Number.NaN;
      const channel = channelOf(block, within);
      sums[channel] = (sums[channel] ?? 0) + sum;
      sinceTurn += pixels;
      if (sinceTurn < numbersInTurn) continue;
      await setImmediate();
      sinceTurn = 0;
    }
  }
  return sums.map((sum) => sum / (image.length / channels));
}
