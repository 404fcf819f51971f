import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import type { PixelForm } from '../dicom/pixel-form.ts';
import type { ImageFaultReason } from '../image-fault.ts';
import type { ObjectsJob } from '../objects/make-objects.ts';
import type { SaliencyDrawing } from './draw-saliency.ts';
import type { Picture } from './encode-png.ts';
import type { MadeTensor, TensorDefinition } from './make-tensor.ts';

/** One frame as it was stored or sent, and what is stated of it. */
export interface StatedFrame {
  readonly bytes: Uint8Array;
  readonly transferSyntaxUid: string;
  readonly attributes: FrameAttributes;
  readonly form: PixelForm;
}

export interface TensorJob {
  /** In the order of slices. */
  readonly frames: readonly StatedFrame[];
  readonly definition: TensorDefinition;
}

/** To a thread: what it shall do; one at a time. */
export type PixelJob =
  | { readonly tensor: TensorJob }
  | { readonly png: Picture }
  | { readonly saliency: SaliencyDrawing }
  | { readonly objects: ObjectsJob };

/** To a thread: a job, or the first of the frames of the job that comes next. */
export type ToThread = PixelJob | { readonly first: readonly StatedFrame[] };

/** A picture as a PNG file. */
export interface DrawnPicture {
  readonly png: Uint8Array;
  readonly rows: number;
  readonly columns: number;
}

/** From a thread: what came of it. `broken` is what nobody expected. */
export type PixelAnswer =
  | { readonly made: MadeTensor }
  | { readonly png: Uint8Array }
  | { readonly drawn: DrawnPicture }
  /** DICOM files. */
  | { readonly files: readonly Uint8Array[] }
  | { readonly fault: { readonly because: ImageFaultReason; readonly message: string } }
  | { readonly broken: unknown };

/** From a thread: that it can take jobs, that its job has begun another frame, or what came of the job. */
export type ThreadMessage = PixelAnswer | 'ready' | 'frame';
