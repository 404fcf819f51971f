import type { ImageDefinition } from '../../model-catalog/image-schema.ts';
import { tensorDigest } from '../../model-catalog/tensor-digest.ts';
import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import type { PixelForm } from '../dicom/pixel-form.ts';
import { ImageFault } from '../image-fault.ts';
import type { StoredFrame } from '../pixels/stored-frame.ts';
import { toRgb } from '../pixels/to-rgb.ts';
import { thenAxis } from './axis-map.ts';
import { type ImagePreview, type ShownFrame, showFrame } from './image-preview.ts';
import { isWhiteLow, type RangeStep } from './map-range.ts';
import { modalityValues } from './modality-values.ts';
import { type Axes, planSteps } from './plan-steps.ts';
import type { Plane } from './plane.ts';
import { runSteps, type StepRun } from './run-steps.ts';
import { shownBy, windowOfUnits } from './shown-by.ts';
import { tensorOf } from './tensor-of.ts';

/** One decoded frame and what is stated of it. */
export interface DecodedFrame {
  readonly stored: StoredFrame;
  readonly attributes: FrameAttributes;
  readonly form: PixelForm;
}

export interface MadeTensor {
  /** Row by row in the order of `shape`; finite. */
  readonly tensor: Float32Array;
  /** Its `tensorDigest`. */
  readonly digest: string;
  /** As `shapeOfImage` says of the definition. */
  readonly shape: readonly number[];
  readonly preview: ImagePreview;
}

/** What the tensor of a feature is made by. */
export type TensorDefinition = Pick<ImageDefinition, 'take' | 'preprocess'>;

export interface TensorParts {
  /** In the order of slices; taken one after the other, and each let go once a step has made less of it. */
  readonly frames: Iterable<DecodedFrame>;
  /** What is stated of each of them, known before the first is decoded. */
  readonly attributes: readonly FrameAttributes[];
  readonly definition: TensorDefinition;
}

/**
 * From decoded pixels to the tensor of a model: each frame by its own modality LUT (DW-21, DW-24, DW-25), then the declared
 * steps in their order (VOI and presentation: DW-22, DW-23), in float64; float32 at the end. Pure: the same frames give the
 * same bits.
 * Throws ImageFault where the image is not of the form that the steps need.
 */
export function makeTensor({ frames, attributes, definition }: TensorParts): MadeTensor {
  const { take, preprocess } = definition;
  const flat = take === 'one-image' || take === 'newest-image';
  if (flat && attributes.length > 1)
    throw new ImageFault('image-unsupported', `The image has ${attributes.length} frames; the feature map takes one.`);
  const middle = Math.floor(attributes.length / 2);
  const declared = shownBy(preprocess);
  const window = windowOfUnits(preprocess);
  let shown: ShownFrame | undefined;
  let begun: Begun | undefined;
  let isInverted: boolean | undefined;
  let index = 0;
  for (const frame of frames) {
    const plane = planeOf(frame);
    begun ??= beginWith(plane, { attributes, definition, flat });
    checkFrame(plane, begun.grid, definition);
    if (index === middle) shown = showFrame(plane, { ...frame, ...(window === undefined ? {} : { window }) });
    const inverted = invertedBy(frame, declared);
    isInverted ??= inverted;
    if (inverted !== isInverted)
      throw new ImageFault(
        'image-unsupported',
        'The lowest value is white in some of the slices, and black in others.',
      );
    begun.run.add({ plane, attributes: frame.attributes, inverted });
    index += 1;
  }
  if (begun === undefined || shown === undefined || index !== attributes.length)
    throw new Error(`${index} frames came, and what is stated of ${attributes.length}`);
  const planes = begun.run.end().map(({ plane }) => plane);
  const { toFrame, ...preview } = shown;
  const { rows, columns, slices } = begun.axes;
  const toTensor = {
    rows: thenAxis(toFrame.rows, rows.map),
    columns: thenAxis(toFrame.columns, columns.map),
    ...(slices === undefined ? {} : { slices: slices.map }),
  };
  const { tensor, shape } = tensorOf(planes, preprocess, flat);
  return { tensor, digest: tensorDigest(tensor), shape, preview: { ...preview, frame: middle, toTensor } };
}

type Grid = Pick<Plane, 'rows' | 'columns' | 'channels'>;

interface Begun {
  readonly grid: Grid;
  readonly axes: Axes;
  readonly run: StepRun;
}

/** What the first frame tells: how large all of them are. */
function beginWith(
  { rows, columns, channels }: Plane,
  { attributes, definition, flat }: Omit<TensorParts, 'frames'> & { readonly flat: boolean },
): Begun {
  const size = { rows, columns, ...(flat ? {} : { slices: attributes.length }) };
  const { steps, axes } = planSteps(definition.preprocess, attributes, size);
  return { grid: { rows, columns, channels }, axes, run: runSteps(steps) };
}

function checkFrame({ rows, columns, channels }: Plane, grid: Grid, { preprocess }: TensorDefinition): void {
  if (rows !== grid.rows || columns !== grid.columns || channels !== grid.channels)
    throw new ImageFault('image-unsupported', 'The slices differ in rows, columns or colours.');
  if (channels === 3 && preprocess.some((step) => step.step === 'window' && step.from === 'image'))
    throw new ImageFault(
      'image-unsupported',
      'The feature map takes the window from the image, which has colours, and no window.',
    );
}

/** Whether it has to be turned over; without a step that does so it cannot be told about what. */
function invertedBy({ form, attributes }: DecodedFrame, declared: RangeStep | undefined): boolean {
  const inverted = isWhiteLow(form.photometricInterpretation, attributes);
  if (inverted && declared === undefined)
    throw new ImageFault(
      'image-unsupported',
      'The lowest value of the image is white (MONOCHROME1), and no window or rescale of the feature map says about what it is turned over.',
    );
  return inverted;
}

function planeOf({ stored, attributes, form }: DecodedFrame): Plane {
  if (stored.photometricInterpretation.startsWith('MONOCHROME'))
    return modalityValues(stored, attributes.modalityLut, form);
  const { rows, columns, data } = toRgb(stored, form);
  return { rows, columns, channels: 3, values: new Float64Array(data) };
}
