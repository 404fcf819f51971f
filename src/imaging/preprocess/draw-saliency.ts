import type { AxisMap } from './axis-map.ts';
import type { Picture } from './encode-png.ts';
import type { ImagePreview } from './image-preview.ts';

/** What is drawn over an image: numbers on a grid, see SaliencyMap. */
export interface SaliencyDrawing {
  readonly preview: ImagePreview;
  /** Rows and columns of the tensor. */
  readonly size: readonly [rows: number, columns: number];
  /** Centres of the grid as coordinates of the tensor, rising. */
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** Row by row; above 0 orange, below it blue. */
  readonly values: Float32Array;
  /** What the strongest colour stands for; 0: nothing is coloured. */
  readonly strongest: number;
}

/** Longest side of a picture, without its legend: it goes into a report, twice. */
const longestSide = 512;
/** Vermilion and blue of Okabe and Ito (Color Universal Design), which people with any form of colour blindness tell apart. */
const orange = [213, 94, 0] as const;
const blue = [0, 114, 178] as const;
/** How much the strongest colour covers of the image. */
const mostCover = 0.7;
const legendGray = 160;
const legendGap = 2;

/**
 * The image in gray with a map of colours over it, each covering it the more the further its value is from 0, and below it
 * the scale from the strongest blue over none to the strongest orange. What of the image the model did not see (cropped) is
 * dark and hatched. Pure: the same drawing gives the same bytes.
 */
export function drawSaliency(drawing: SaliencyDrawing): Picture {
  const { preview, size, values, strongest } = drawing;
  const factor = Math.ceil(Math.max(preview.rows, preview.columns) / longestSide);
  const rows = Math.ceil(preview.rows / factor);
  const columns = Math.ceil(preview.columns / factor);
  const across = (map: AxisMap, pixels: number, centres: readonly number[], axis: 0 | 1): Place[] =>
    Array.from({ length: Math.ceil(pixels / factor) }, (_, at) => {
      const inTensor = ((at * factor + Math.min(pixels, (at + 1) * factor)) / 2) * map.scale + map.offset;
      return { ...placeAmong(centres, inTensor), isSeen: inTensor >= 0 && inTensor < size[axis] };
    });
  const rowPlaces = across(preview.toTensor.rows, preview.rows, drawing.rows, 0);
  const columnPlaces = across(preview.toTensor.columns, preview.columns, drawing.columns, 1);
  const width = drawing.columns.length;
  const at = (row: number, column: number): number => values[row * width + column] ?? Number.NaN;

  const legend = legendRows(rows);
  const data = new Uint8Array((rows + legend) * columns * 3);
  for (const [y, row] of rowPlaces.entries()) {
    for (const [x, column] of columnPlaces.entries()) {
      const gray = grayAt(preview, { y: y * factor, x: x * factor, factor });
      const to = (y * columns + x) * 3;
      if (!(row.isSeen && column.isSeen)) {
        data.fill((x + y) % 8 === 0 ? 96 : Math.round(gray / 3), to, to + 3);
        continue;
      }
      const above = mix(at(row.low, column.low), at(row.low, column.high), column.share);
      const below = mix(at(row.high, column.low), at(row.high, column.high), column.share);
      paint(data, to, gray, strongest > 0 ? mix(above, below, row.share) / strongest : 0);
    }
  }
  for (let y = rows + legendGap; y < rows + legend; y++)
    for (let x = 0; x < columns; x++)
      paint(data, (y * columns + x) * 3, legendGray, columns === 1 ? 0 : (2 * x) / (columns - 1) - 1);
  return { rows: rows + legend, columns, channels: 3, data };
}

/** How many rows the scale and the gap above it have. */
function legendRows(rows: number): number {
  return legendGap + Math.max(6, Math.round(rows / 32));
}

interface Place {
  readonly low: number;
  readonly high: number;
  /** How near it is to `high`, 0..1. */
  readonly share: number;
  readonly isSeen: boolean;
}

/** Between which two of rising centres a coordinate lies; beyond the outermost it is that one's. */
function placeAmong(centres: readonly number[], at: number): Omit<Place, 'isSeen'> {
  const high = centres.findIndex((centre) => centre >= at);
  if (high === 0) return { low: 0, high: 0, share: 0 };
  if (high < 0) return { low: centres.length - 1, high: centres.length - 1, share: 0 };
  const [from = 0, to = 0] = centres.slice(high - 1, high + 1);
  return { low: high - 1, high, share: (at - from) / (to - from) };
}

function mix(one: number, other: number, share: number): number {
  return one + (other - one) * share;
}

/** @param strength -1..1; beyond it is the strongest */
function paint(data: Uint8Array, to: number, gray: number, strength: number): void {
  const cover = mostCover * Math.min(1, Math.abs(strength));
  const colour = strength > 0 ? orange : blue;
  for (let channel = 0; channel < 3; channel++) data[to + channel] = Math.round(mix(gray, colour[channel] ?? 0, cover));
}

/** The mean of a square of the preview; of colours their luminance (ITU-R BT.601), so that those of the map stand alone. */
function grayAt(
  { rows, columns, channels, data }: ImagePreview,
  { y, x, factor }: { readonly y: number; readonly x: number; readonly factor: number },
): number {
  let sum = 0;
  let count = 0;
  for (let row = y; row < Math.min(rows, y + factor); row++) {
    for (let column = x; column < Math.min(columns, x + factor); column++) {
      const from = (row * columns + column) * channels;
      const [red, green, blueOf] = [data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0];
      sum += channels === 1 ? red : 0.299 * red + 0.587 * green + 0.114 * blueOf;
      count += 1;
    }
  }
  return sum / count;
}
