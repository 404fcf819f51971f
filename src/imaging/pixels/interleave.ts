import type { StoredFrame } from './stored-frame.ts';

/** Plane after plane becomes sample beside sample. */
export function interleave(planes: StoredFrame['data'], samples: number): StoredFrame['data'] {
  const data = planes.slice();
  const pixels = planes.length / samples;
  for (let sample = 0; sample < samples; sample++)
    for (let pixel = 0; pixel < pixels; pixel++)
      data[pixel * samples + sample] = planes[sample * pixels + pixel] as number;
  return data;
}
