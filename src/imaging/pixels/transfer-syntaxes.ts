/** How a transfer syntax holds pixels (PS3.5 annex A; conformance 9.3). */
export interface TransferSyntax {
  readonly name: string;
  readonly coding: 'native' | 'big-endian' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k';
  /** True where the coding itself loses something. */
  readonly lossy: boolean;
}

const syntaxes: ReadonlyMap<string, TransferSyntax> = new Map<string, TransferSyntax>([
  ['1.2.840.10008.1.2', { name: 'Implicit VR Little Endian', coding: 'native', lossy: false }],
  ['1.2.840.10008.1.2.1', { name: 'Explicit VR Little Endian', coding: 'native', lossy: false }],
  ['1.2.840.10008.1.2.1.99', { name: 'Deflated Explicit VR Little Endian', coding: 'native', lossy: false }],
  ['1.2.840.10008.1.2.2', { name: 'Explicit VR Big Endian', coding: 'big-endian', lossy: false }],
  ['1.2.840.10008.1.2.5', { name: 'RLE Lossless', coding: 'rle', lossy: false }],
  ['1.2.840.10008.1.2.4.50', { name: 'JPEG Baseline', coding: 'jpeg', lossy: true }],
  ['1.2.840.10008.1.2.4.51', { name: 'JPEG Extended', coding: 'jpeg', lossy: true }],
  ['1.2.840.10008.1.2.4.57', { name: 'JPEG Lossless', coding: 'jpeg-lossless', lossy: false }],
  ['1.2.840.10008.1.2.4.70', { name: 'JPEG Lossless, First-Order Prediction', coding: 'jpeg-lossless', lossy: false }],
  ['1.2.840.10008.1.2.4.80', { name: 'JPEG-LS Lossless', coding: 'jpeg-ls', lossy: false }],
  ['1.2.840.10008.1.2.4.81', { name: 'JPEG-LS Near-Lossless', coding: 'jpeg-ls', lossy: true }],
  ['1.2.840.10008.1.2.4.90', { name: 'JPEG 2000 Lossless', coding: 'jpeg-2000', lossy: false }],
  ['1.2.840.10008.1.2.4.91', { name: 'JPEG 2000', coding: 'jpeg-2000', lossy: true }],
  ['1.2.840.10008.1.2.4.201', { name: 'High-Throughput JPEG 2000 Lossless', coding: 'htj2k', lossy: false }],
  ['1.2.840.10008.1.2.4.202', { name: 'High-Throughput JPEG 2000 Lossless RPCL', coding: 'htj2k', lossy: false }],
  ['1.2.840.10008.1.2.4.203', { name: 'High-Throughput JPEG 2000', coding: 'htj2k', lossy: true }],
]);

/** The transfer syntax of a UID; undefined where its pixels are not read. */
export function transferSyntax(uid: string): TransferSyntax | undefined {
  return syntaxes.get(uid);
}
