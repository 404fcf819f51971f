import { createHash } from 'node:crypto';
import type { StoredFrame } from '../../../src/imaging/pixels/stored-frame.ts';

/** What the tables state of all frames together: type, extremes, mean and the hash of the bytes. */
export function statisticsOf(frames: readonly StoredFrame[]): {
  type: string;
  min: number;
  max: number;
  mean: number;
  sha256: string;
} {
  const hash = createHash('sha256');
  let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const { data } of frames) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    for (const value of data) {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
    }
    count += data.length;
  }
  const type = frames[0]?.data.constructor.name.replace('Array', '').toLowerCase() ?? '';
  return { type, min, max, mean: Math.round((sum / count) * 1e4) / 1e4, sha256: hash.digest('hex') };
}
