import type { ModalityLut } from '../dicom/frame-attributes.ts';
import type { PixelForm } from '../dicom/pixel-form.ts';
import type { StoredFrame } from '../pixels/stored-frame.ts';
import { mapped, type Plane } from './plane.ts';

/**
 * The values of one gray frame after its own modality LUT (DW-21): rescale slope and intercept, or a table, in the units of
 * the modality (HU of CT; of PET and MR whatever their slope gives, slice by slice: DW-25). Pixels of the padding value (DW-24),
 * which is a stored value, weigh nothing.
 */
export function modalityValues(
  { rows, columns, data }: StoredFrame,
  lut: ModalityLut,
  { paddingValue }: Pick<PixelForm, 'paddingValue'>,
): Plane {
  const plane = { rows, columns, channels: 1, values: mapped(data, modalityFunction(lut)) };
  if (paddingValue === undefined) return plane;
  const { from, to } = paddingValue;
  if (!data.some((stored) => stored >= from && stored <= to)) return plane;
  return { ...plane, weight: mapped(data, (stored) => (stored >= from && stored <= to ? 0 : 1)) };
}

/** Of a stored value; a table takes lower values than its first as that, and higher ones than its last as that (PS3.3 C.11.1.1.1). */
function modalityFunction(lut: ModalityLut): (stored: number) => number {
  switch (lut.kind) {
    case 'none':
      return (stored) => stored;
    case 'rescale': {
      const { slope, intercept } = lut;
      return (stored) => slope * stored + intercept;
    }
    case 'table': {
      const { firstMapped, values } = lut.table;
      const last = values.length - 1;
      return (stored) => values[Math.min(last, Math.max(0, stored - firstMapped))] ?? Number.NaN;
    }
  }
}
