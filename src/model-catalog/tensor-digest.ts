import { hash } from 'node:crypto';

/**
 * SHA-256 (hex) of the numbers of a tensor as float32, little-endian. It takes some milliseconds for a volume: where pixels are
 * made a tensor, in a worker, is the place to ask for it.
 */
export function tensorDigest({ buffer, byteOffset, byteLength }: Float32Array): string {
  return hash('sha256', new Uint8Array(buffer, byteOffset, byteLength));
}
