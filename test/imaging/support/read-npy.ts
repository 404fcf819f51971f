/** An array of float64 or float32 in NumPy's format 1.0, in C order. Throws for anything else. */
export function readNpy(bytes: Uint8Array): { readonly shape: number[]; readonly data: Float64Array | Float32Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = String.fromCharCode(...bytes.subarray(0, 8));
  if (magic !== '\x93NUMPY\x01\x00') throw new Error('no .npy of version 1.0');
  const start = 10 + view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(10, start));
  const [, type] = /'descr': '(<f[48])', 'fortran_order': False/.exec(header) ?? [];
  const [, sizes] = /'shape': \(([\d, ]*)\)/.exec(header) ?? [];
  if (type === undefined || sizes === undefined) throw new Error(`not read: ${header}`);
  const body = Uint8Array.from(bytes.subarray(start)).buffer; // the slice of a Buffer would not be a copy
  return {
    shape: sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)])),
    data: type === '<f8' ? new Float64Array(body) : new Float32Array(body),
  };
}
