import type { WindowOfInterest } from '../dicom/frame-attributes.ts';
import type { LookupTable } from '../dicom/lookup-table.ts';
import { ImageFault } from '../image-fault.ts';

/**
 * The values of a window as 0..1, both ends included (PS3.3 C.11.2.1.2 with ymin 0 and ymax 1).
 * @returns a function of a value after the modality LUT
 * Throws ImageFault for a width that the function does not allow: at least 1 for LINEAR, above 0 for the others.
 */
export function windowFunction({ center, width, function: voi }: WindowOfInterest): (x: number) => number {
  const least = voi === 'LINEAR' ? 1 : Number.MIN_VALUE;
  if (!Number.isFinite(center) || !(width >= least && width < Number.POSITIVE_INFINITY)) {
    const allowed = voi === 'LINEAR' ? 'at least 1' : 'above 0';
    throw new ImageFault('image-unsupported', `Window Width is ${width}; for ${voi} it must be ${allowed}.`);
  }
  switch (voi) {
    case 'LINEAR': {
      const middle = center - 0.5;
      const half = (width - 1) / 2;
      return (x) => {
        if (x <= middle - half) return 0;
        return x > middle + half ? 1 : (x - middle) / (width - 1) + 0.5;
      };
    }
    case 'LINEAR_EXACT':
      return (x) => {
        if (x <= center - width / 2) return 0;
        return x > center + width / 2 ? 1 : (x - center) / width + 0.5;
      };
    case 'SIGMOID':
      return (x) => 1 / (1 + Math.exp((-4 * (x - center)) / width));
  }
}

/**
 * The entries of a VOI LUT as 0..1 of what its bits can hold (PS3.3 C.11.2.1.1): a value below the first one mapped takes the first entry, one above
 * the last takes the last. Values between whole numbers, as a modality LUT gives them, take the entry of the whole number below.
 */
export function voiLutFunction({ firstMapped, values, bits }: LookupTable): (x: number) => number {
  const last = values.length - 1;
  const most = 2 ** bits - 1;
  return (x) => {
    const at = Math.min(last, Math.max(0, Math.floor(x) - firstMapped));
    return (values[at] ?? Number.NaN) / most;
  };
}
