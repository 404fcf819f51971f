import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';
import { writeSampleNdjson } from '../../src/cli/sample-patients/write-sample-ndjson.ts';

const referenceDate = new Date('2026-03-01T00:00:00Z');

describe('the sample as NDJSON', () => {
  test('is one resource a line, in order, counted, and leaves the stream open', async () => {
    const stream = new PassThrough();
    const read = text(stream);
    const written = await writeSampleNdjson({ patients: 7, seed: 3, referenceDate }, stream);
    expect(stream.writableEnded).toBe(false);
    stream.end();
    const lines = (await read).trimEnd().split('\n');
    const expected = [...generateSamplePatients({ patients: 7, seed: 3, referenceDate })].flat();
    expect(lines.map((line) => JSON.parse(line))).toEqual(expected);
    expect(written).toEqual({ patients: 7, resources: expected.length });
  });

  test('of no patients is empty', async () => {
    const stream = new PassThrough();
    const read = text(stream);
    expect(await writeSampleNdjson({ patients: 0, seed: 3, referenceDate }, stream)).toEqual({
      patients: 0,
      resources: 0,
    });
    stream.end();
    expect(await read).toBe('');
  });

  test('waits for a slow reader instead of piling lines up in memory', async () => {
    let largestChunk = 0;
    let mostWaiting = 0;
    const slow = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _encoding, done) {
        largestChunk = Math.max(largestChunk, chunk.length);
        mostWaiting = Math.max(mostWaiting, slow.writableLength);
        setImmediate(done);
      },
    });
    await writeSampleNdjson({ patients: 60, seed: 3, referenceDate }, slow);
    expect(mostWaiting).toBeLessThanOrEqual(2 * largestChunk);
  });

  test('rejects with the error of a stream that fails half-way', async () => {
    let writes = 0;
    const full = new Writable({
      write(_chunk, _encoding, done) {
        writes++;
        done(writes === 3 ? new Error('no space left on device') : null);
      },
    });
    await expect(writeSampleNdjson({ patients: 50, seed: 3, referenceDate }, full)).rejects.toThrow(
      'no space left on device',
    );
  });

  test('rejects instead of hanging when the reader closes early', async () => {
    const closed = new Writable({
      write(_chunk, _encoding, done) {
        closed.destroy();
        done();
      },
    });
    await expect(writeSampleNdjson({ patients: 50, seed: 3, referenceDate }, closed)).rejects.toThrow(
      /premature close/i,
    );
  });

  test('rejects bad options before anything is written', async () => {
    const stream = new PassThrough();
    await expect(writeSampleNdjson({ patients: -1, seed: 3, referenceDate }, stream)).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
    });
    expect(stream.readableLength).toBe(0);
  });
});
