import type { PixelForm } from '../dicom/pixel-form.ts';
import { ImageFault } from '../image-fault.ts';
import type { StoredFrame } from './stored-frame.ts';

/**
 * Turns colours to RGB: YBR_FULL by PS3.3 C.7.6.3.1.2, PALETTE COLOR by its tables (C.7.6.3.1.5, C.7.9). RGB is given back
 * as it is. YBR of JPEG 2000 never comes here, because its decoder undoes it.
 * @param form.palette of PALETTE COLOR; its tables may have entries of 8 to 16 bits
 * @returns values of 0 to 255, or to 65,535 where a sample or a table entry has more than 8 bits
 * @throws ImageFault `image-unsupported` where the frame has no colours, or has them in a way that is not read
 */
export function toRgb(frame: StoredFrame, form: Pick<PixelForm, 'palette' | 'bitsStored'>): StoredFrame {
  const { photometricInterpretation } = frame;
  if (photometricInterpretation === 'RGB') return frame;
  if (photometricInterpretation === 'YBR_FULL')
    return { ...frame, photometricInterpretation: 'RGB', data: fromYbr(frame.data, form.bitsStored) };
  if (photometricInterpretation === 'PALETTE COLOR' && form.palette !== undefined)
    return { ...frame, samples: 3, photometricInterpretation: 'RGB', data: fromPalette(frame.data, form.palette) };
  throw new ImageFault('image-unsupported', `Pixels of ${photometricInterpretation} do not become RGB`);
}

/** R = Y + 1.402 Cr, G = Y - 0.344136 Cb - 0.714136 Cr, B = Y + 1.772 Cb, with Cb and Cr about half the range. */
function fromYbr(ybr: StoredFrame['data'], bits: number): StoredFrame['data'] {
  const largest = 2 ** bits - 1;
  const half = 2 ** (bits - 1);
  const clamp = (value: number): number => Math.min(largest, Math.max(0, Math.round(value)));
  const data = ybr.slice();
  for (let at = 0; at < ybr.length; at += 3) {
    const y = ybr[at] as number;
    const blue = (ybr[at + 1] as number) - half;
    const red = (ybr[at + 2] as number) - half;
    data[at] = clamp(y + 1.402 * red);
    data[at + 1] = clamp(y - 0.344136 * blue - 0.714136 * red);
    data[at + 2] = clamp(y + 1.772 * blue);
  }
  return data;
}

function fromPalette(indices: StoredFrame['data'], palette: NonNullable<PixelForm['palette']>): StoredFrame['data'] {
  const tables = [palette.red, palette.green, palette.blue];
  const wide = tables.some(({ bits }) => bits > 8);
  if (tables.some(({ bits }) => bits !== palette.red.bits))
    throw new ImageFault('image-damaged', 'The three tables of the palette have entries of different depth');
  const data = wide ? new Uint16Array(indices.length * 3) : new Uint8Array(indices.length * 3);
  tables.forEach(({ firstMapped, values }, sample) => {
    for (let pixel = 0; pixel < indices.length; pixel++) {
      const entry = Math.min(values.length - 1, Math.max(0, (indices[pixel] as number) - firstMapped));
      data[pixel * 3 + sample] = values[entry] as number;
    }
  });
  return data;
}
