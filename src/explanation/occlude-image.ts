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
  const baseline = saliency.baseline === 'mean' ? meansOf(image, layout) : undefined;
  const baselineOf = (channel: number): number => baseline?.[channel] ?? Number(saliency.baseline);
  const places = rows.flatMap((row) => columns.map((column) => ({ row, column })));
  const without = ({ row, column }: (typeof places)[number]): ModelRow => {
    const occluded = Float32Array.from(image);
    fillPatch(occluded, { row, column, height, width }, layout, baselineOf);
    return inputs.with(cell, occluded);
  };

  const values = scores.map(() => new Float32Array(places.length));
  const whole: number[] = [];
  const mostRows = Math.max(1, Math.floor(numbersOfRun / image.length));
  for (let from = -1; from < places.length; from += mostRows) {
    const asked = Array.from({ length: Math.min(mostRows, places.length - from) }, (_, at) => from + at);
    // Others have their turn after what a large image takes here, and before it is looked at and copied once more.
    await setImmediate();
    const occluded = asked.map((at) => (places[at] === undefined ? inputs : without(places[at])));
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

function fillPatch(
  image: Float32Array,
  { row, column, height, width }: Patch,
  { rows, columns, outer, inner, channelOf }: ImageLayout,
  baselineOf: (channel: number) => number,
): void {
  for (let block = 0; block < outer; block++) {
    for (let within = 0; within < inner; within++) {
      const value = baselineOf(channelOf(block, within));
      for (let y = row; y < row + height; y++) {
        const line = (block * rows + y) * columns;
        for (let x = column; x < column + width; x++) image[(line + x) * inner + within] = value;
      }
    }
  }
}

/** The mean of each channel. */
function meansOf(image: Float32Array, { rows, columns, outer, inner, channels, channelOf }: ImageLayout): Float64Array {
  const sums = new Float64Array(channels);
  const pixels = rows * columns;
  for (let block = 0; block < outer; block++) {
    for (let within = 0; within < inner; within++) {
      let sum = 0;
      for (let pixel = 0; pixel < pixels; pixel++)
        sum += image[(block * pixels + pixel) * inner + within] ?? Number.NaN;
      const channel = channelOf(block, within);
      sums[channel] = (sums[channel] ?? 0) + sum;
    }
  }
  return sums.map((sum) => sum / (image.length / channels));
}
