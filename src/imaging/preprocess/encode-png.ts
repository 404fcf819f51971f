import { encode } from 'fast-png';

/** Pixels of 8 bits: of one channel gray, of three red, green and blue side by side. */
export interface Picture {
  readonly rows: number;
  readonly columns: number;
  readonly channels: 1 | 3;
  /** rows × columns × channels. */
  readonly data: Uint8Array;
}

/** The picture as a PNG file, without loss; it says nothing but its pixels. */
export function encodePng({ rows, columns, channels, data }: Picture): Uint8Array {
  return encode({ width: columns, height: rows, channels, depth: 8, data });
}
