/**
 * The one import of ONNX Runtime. From Node 24 on there is a Float16Array, which its JavaScript side prefers and its native
 * side does not take; without it float16 goes in and out as bits in a Uint16Array. It is put back at once.
 */
const float16Array = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
Reflect.deleteProperty(globalThis, 'Float16Array');
export const ort = await import('onnxruntime-node');
new ort.Tensor('float32', new Float32Array(1), [1]); // the first tensor decides which arrays there are
if (float16Array !== undefined) Object.defineProperty(globalThis, 'Float16Array', float16Array);

/** Of the package that is installed: `1.30.0`. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;
