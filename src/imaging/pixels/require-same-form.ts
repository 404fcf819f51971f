import type { PixelForm } from '../dicom/pixel-form.ts';
import { ImageFault } from '../image-fault.ts';

/** What a compressed stream says of itself. */
export interface StreamForm {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  readonly precision: number;
  /** Where the stream has a sign of its own. */
  readonly signed?: boolean;
}

/**
 * A stream is decoded only where it is of the form that its object states, which is checked before anything is allocated.
 * @throws ImageFault `image-damaged` where it is another
 */
export function requireSameForm(form: PixelForm, stream: StreamForm): void {
  const differences = [
    ['rows', form.rows, stream.rows],
    ['columns', form.columns, stream.columns],
    ['samples of a pixel', form.samplesPerPixel, stream.components],
    ['bits', form.bitsStored, stream.precision],
    ['sign', form.signed, stream.signed ?? form.signed],
  ].filter(([, stated, found]) => stated !== found);
  const [difference] = differences;
  if (difference !== undefined)
    throw new ImageFault(
      'image-damaged',
      `The object states ${difference[1]} for ${difference[0]}, its compressed stream ${difference[2]}`,
    );
  if (form.highBit !== form.bitsStored - 1)
    throw new ImageFault('image-unsupported', 'A compressed stream whose values do not begin at bit 0 is not read');
}
