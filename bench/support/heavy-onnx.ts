import { slowOnnx } from '../../test/support/slow-onnx.ts';

/** Some tens of milliseconds for a run of up to 16 rows of two columns. */
export function heavyOnnx(): Uint8Array {
  return slowOnnx(2, 1, { size: 800, products: 1 });
}
