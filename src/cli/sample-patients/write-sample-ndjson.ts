import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { generateSamplePatients, type SampleOptions } from './generate-sample-patients.ts';

/**
 * Writes the sample as NDJSON, one resource a line, patient by patient, no faster than the stream takes it; the stream
 * stays open. Resolves when the last line is handed over. Rejects with the stream's own error when it fails or closes
 * first (EPIPE, where the reader of a pipe has gone), and with PARAMETER_INVALID for bad options.
 */
export async function writeSampleNdjson(
  options: SampleOptions,
  stream: Writable,
): Promise<{ patients: number; resources: number }> {
  const written = { patients: 0, resources: 0 };
  const sample = generateSamplePatients(options);
  function* chunks() {
    for (const resources of sample) {
      written.patients++;
      written.resources += resources.length;
      yield resources.map((resource) => `${JSON.stringify(resource)}\n`).join('');
    }
  }
  await pipeline(Readable.from(chunks(), { highWaterMark: 1 }), stream, { end: false });
  return written;
}
