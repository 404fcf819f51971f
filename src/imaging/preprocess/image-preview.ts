import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import type { PixelForm } from '../dicom/pixel-form.ts';
import { type AxisMap, sameAxis, thenAxis } from './axis-map.ts';
import { axisWeights } from './axis-weights.ts';
import { isWhiteLow, ownWindow, presentRange, type RangeStep, type ValueRange, valueRange } from './map-range.ts';
import { leastWeight, mapped, type Plane } from './plane.ts';
import { resamplePlane } from './resample.ts';

/** The longest side of a preview, in pixels: a report is read on a screen. */
const longestSide = 1024;

/** An image of 8 bits as a reader sees it; of a volume or a stack its middle slice. */
export interface ImagePreview {
  readonly rows: number;
  readonly columns: number;
  /** 1: gray, 0 is black. 3: red, green, blue side by side. */
  readonly channels: 1 | 3;
  /** rows × columns × channels. */
  readonly data: Uint8Array;
  /** Which of the frames it shows, from 0. */
  readonly frame: number;
  /** Where it lies in the tensor; `slices` of a stack or a volume: where the frame does, as an axis of frames. */
  readonly toTensor: { readonly rows: AxisMap; readonly columns: AxisMap; readonly slices?: AxisMap };
}

/** What one frame shows, before it is known where it lies in the tensor. */
export type ShownFrame = Omit<ImagePreview, 'frame' | 'toTensor'> & {
  readonly toFrame: { readonly rows: AxisMap; readonly columns: AxisMap };
};

/**
 * @param plane the frame after its modality LUT, or its colours as they are stored
 * @param window that of the feature map which takes the values of the plane as they are; without one it is shown by its own VOI, else
 * from its least to its greatest value
 */
export function showFrame(
  plane: Plane,
  {
    attributes,
    form,
    window,
  }: { readonly attributes: FrameAttributes; readonly form: PixelForm; readonly window?: RangeStep },
): ShownFrame {
  if (plane.channels === 3) {
    const most = mostOfColours(form);
    return shrunk(plane, (x) => x / most, 3);
  }
  const range: ValueRange =
    window === undefined
      ? { value: ownWindow(attributes) ?? leastToGreatest(plane), to: [0, 1] }
      : valueRange(window, attributes);
  return shrunk(presentRange(plane, range, isWhiteLow(form.photometricInterpretation, attributes)), (x) => x, 1);
}

/** The greatest value that a colour can have, see `toRgb`. */
function mostOfColours({ palette, bitsStored }: PixelForm): number {
  return 2 ** (palette?.red.bits ?? bitsStored) - 1;
}

function shrunk(plane: Plane, value: (x: number) => number, channels: 1 | 3): ShownFrame {
  const over = Math.max(1, Math.max(plane.rows, plane.columns) / longestSide);
  const axis = (old: number): { size: number; map: AxisMap } => {
    const size = Math.max(1, Math.round(old / over));
    return { size, map: { scale: old / size, offset: 0 } };
  };
  const rows = axis(plane.rows);
  const columns = axis(plane.columns);
  const area = { method: 'area', antialias: false } as const;
  const weights = (old: number, size: number) => axisWeights(old, size, { over: old, under: size }, area);
  const small =
    over === 1 ? plane : resamplePlane(plane, weights(plane.rows, rows.size), weights(plane.columns, columns.size));
  return {
    rows: small.rows,
    columns: small.columns,
    channels,
    data: new Uint8Array(mapped(small.values, (x) => Math.round(255 * Math.min(1, Math.max(0, value(x)))))),
    toFrame: { rows: thenAxis(sameAxis, rows.map), columns: thenAxis(sameAxis, columns.map) },
  };
}

function leastToGreatest({ values, weight }: Plane): (x: number) => number {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const [at, x] of values.entries()) {
    if (weight !== undefined && (weight[at] ?? 0) < leastWeight) continue;
    least = Math.min(least, x);
    greatest = Math.max(greatest, x);
  }
  return (x) => (greatest > least ? (x - least) / (greatest - least) : 0);
}
