/** The values of one frame as stored, before any table (PS3.3 C.11.1): what a decoder gives. */
export interface StoredFrame {
  readonly rows: number;
  readonly columns: number;
  readonly samples: 1 | 3;
  /** Of the values as they are now: a decoder may have undone a colour transform. */
  readonly photometricInterpretation: string;
  /** Row by row, the samples of a pixel together; signed values are extended from `bitsStored`. */
  readonly data: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;
}
