/** Why an image cannot be read: it is not whole or contradicts itself, it is of a form that is not read, or it is larger than allowed. */
export type ImageFaultReason = 'image-damaged' | 'image-unsupported' | 'image-too-large';

/**
 * An image that no model may see. Its message says what is wrong, where (the tag or the marker) and what was
 * expected; it holds no value of a patient.
 */
export class ImageFault extends Error {
  readonly because: ImageFaultReason;

  constructor(because: ImageFaultReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ImageFault';
    this.because = because;
  }
}
