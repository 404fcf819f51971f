import type { PixelForm } from '../dicom/pixel-form.ts';
import type { StoredFrame } from './stored-frame.ts';

/** Bytes that one value takes in a frame that is decoded: 1, 2 or 4. */
export function cellBytes(bitsAllocated: number): 1 | 2 | 4 {
  return bitsAllocated <= 8 ? 1 : bitsAllocated <= 16 ? 2 : 4;
}

/** An array for the values of a frame, each as wide as its cell and of its sign. */
export function cellArray({ bitsAllocated, signed }: PixelForm, length: number): StoredFrame['data'] {
  const bytes = cellBytes(bitsAllocated);
  if (bytes === 1) return signed ? new Int8Array(length) : new Uint8Array(length);
  if (bytes === 2) return signed ? new Int16Array(length) : new Uint16Array(length);
  return signed ? new Int32Array(length) : new Uint32Array(length);
}

/** Values of a frame: rows × columns × samples. */
export function valuesOf({ rows, columns, samplesPerPixel }: PixelForm): number {
  return rows * columns * samplesPerPixel;
}

/**
 * Keeps the bits of each cell that hold the value, and extends its sign (PS3.5 8.1.1): what else a cell holds,
 * overlays of old objects, is no part of it.
 */
export function keepStoredBits(data: StoredFrame['data'], { bitsStored, highBit, signed }: PixelForm): void {
  const cellBits = data.BYTES_PER_ELEMENT * 8;
  if (bitsStored === cellBits) return;
  const left = 31 - highBit;
  const right = 32 - bitsStored;
  for (let at = 0; at < data.length; at++) {
    const raised = (data[at] as number) << left;
    data[at] = signed ? raised >> right : raised >>> right;
  }
}
