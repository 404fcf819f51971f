import type { FrameAttributes } from '../../../src/imaging/dicom/frame-attributes.ts';
import type { PixelForm } from '../../../src/imaging/dicom/pixel-form.ts';
import { type DecodedFrame, type MadeTensor, makeTensor } from '../../../src/imaging/preprocess/make-tensor.ts';
import type { ImageStep } from '../../../src/model-catalog/image-preprocess-schema.ts';
import type { ImageDefinition } from '../../../src/model-catalog/image-schema.ts';

export const gray: ImageStep = { step: 'channels', as: 'gray', place: 'none' };

/** A gray frame of one row of stored values, or of several; its window is as wide as the values are. */
export function frameOf(
  values: readonly (readonly number[])[],
  { form = {}, ...attributes }: Partial<FrameAttributes> & { readonly form?: Partial<PixelForm> } = {},
): DecodedFrame {
  const rows = values.length;
  const samplesPerPixel = form.samplesPerPixel ?? 1;
  const columns = (values[0]?.length ?? 0) / samplesPerPixel;
  const photometricInterpretation = form.photometricInterpretation ?? 'MONOCHROME2';
  return {
    stored: {
      rows,
      columns,
      samples: samplesPerPixel,
      photometricInterpretation,
      data: Int16Array.from(values.flat()),
    },
    form: {
      rows,
      columns,
      samplesPerPixel,
      bitsAllocated: 16,
      bitsStored: 16,
      highBit: 15,
      signed: true,
      planarConfiguration: 0,
      photometricInterpretation,
      frames: 1,
      lossy: false,
      ...form,
    },
    attributes: { modalityLut: { kind: 'none' }, windows: [], voiLuts: [], ...attributes },
  };
}

/** The tensor that some steps make of frames. */
export function tensorOf(
  frames: readonly DecodedFrame[],
  preprocess: readonly ImageStep[],
  take: ImageDefinition['take'] = frames.length > 1 ? 'stack' : 'one-image',
): MadeTensor {
  const attributes = frames.map((frame) => frame.attributes);
  return makeTensor({ frames, attributes, definition: { take, preprocess: [...preprocess] } });
}
