import { elementCount } from './tensor.ts';

const magic = '\u0093NUMPY';
const longestHeader = 4096;

/** Numbers of a `.npy` file, in row-major order. */
export interface NpyTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Reads a `.npy` file of float32 in little-endian and row-major order, as `numpy.save` writes it. The numbers are copied.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @throws SyntaxError for any other file, or one that is longer or shorter than its shape says
 */
export function readNpy(bytes: Uint8Array): NpyTensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 6)).toString('latin1') !== magic)
    throw new SyntaxError('is no .npy file');
  const isShort = view.getUint8(6) === 1;
  const start = isShort ? 10 : 12;
  const length = isShort ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > longestHeader || start + length > bytes.length) throw new SyntaxError('has a header that is cut off');
  const header = Buffer.from(bytes.subarray(start, start + length)).toString('latin1');
  const descr = /'descr': *'([^']*)'/.exec(header)?.[1];
  if (descr !== '<f4') throw new SyntaxError(`holds ${descr ?? 'no known type'}; only float32 is read: '<f4'`);
  if (!/'fortran_order': *False/.test(header)) throw new SyntaxError('is not in row-major order');
  const sizes = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1];
  if (sizes === undefined) throw new SyntaxError('has no shape');
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  const count = elementCount(shape);
  const body = bytes.subarray(start + length);
  if (body.length !== 4 * count)
    throw new SyntaxError(`has ${body.length} bytes of numbers; its shape [${shape.join(', ')}] takes ${4 * count}`);
  const data = new Float32Array(count);
  new Uint8Array(data.buffer).set(body);
  return { shape, data };
}
