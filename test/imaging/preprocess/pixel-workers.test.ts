import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decode } from 'fast-png';
import { afterEach, describe, expect, it } from 'vitest';
import { readImageAttributes } from '../../../src/imaging/dicom/image-attributes.ts';
import { readPart10 } from '../../../src/imaging/dicom/read-part10.ts';
import { ImageFault } from '../../../src/imaging/image-fault.ts';
import { answerPixelJob } from '../../../src/imaging/preprocess/answer-pixel-job.ts';
import type { Picture } from '../../../src/imaging/preprocess/encode-png.ts';
import type { StatedFrame, TensorJob } from '../../../src/imaging/preprocess/pixel-messages.ts';
import { openPixelThread } from '../../../src/imaging/preprocess/pixel-thread.ts';
import {
  createPixelWorkers,
  type PixelOptions,
  type PixelWorkers,
} from '../../../src/imaging/preprocess/pixel-workers.ts';
import { casesDir, casesPresent } from '../../support/cases.ts';
import { frameOf, gray } from '../support/frames.ts';

const oddThread = path.join(import.meta.dirname, '../support/odd-thread.ts');
const open: PixelWorkers[] = [];
afterEach(async () => {
  for (const workers of open.splice(0)) await workers.close();
});

function workersWith(options: PixelOptions): PixelWorkers {
  const workers = createPixelWorkers({ threads: 1, ...options });
  open.push(workers);
  return workers;
}

/** What the odd thread does with it is said by its columns. */
function picture(columns: number): Picture {
  return { rows: 1, columns, channels: 1, data: new Uint8Array(columns) };
}
const throwing = picture(1);
const ending = picture(2);
const endless = picture(3);
const greedy = picture(4);
const manyFrames = picture(5);
const good = picture(9);

async function faultOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof ImageFault ? error.because : error;
}

describe('one job that goes wrong', () => {
  it.each([
    ['is a fault of that image alone where it takes all memory of its thread', greedy, 'image-unsupported'],
    ['says nothing of the image where its thread is lost', ending, { code: 'ENGINE_UNAVAILABLE' }],
    ['says nothing of the image where its thread fails', throwing, { code: 'ENGINE_UNAVAILABLE' }],
  ])('%s', async (_, bad, reason) => {
    const failures: unknown[] = [];
    const workers = workersWith({ entry: oddThread, failed: (error) => failures.push(error) });
    const jobs = [workers.png(good), workers.png(bad), workers.png(good), workers.png(good)];
    const [before, wrong, ...after] = await Promise.all(jobs.map(faultOf));
    expect([before, ...after]).toEqual([undefined, undefined, undefined]);
    expect([wrong]).toMatchObject([reason]);
    expect(failures).toHaveLength(1);
  });

  it('is ended where it takes too long, which says nothing of the image, and those that wait go on', async () => {
    const failures: unknown[] = [];
    const workers = workersWith({ entry: oddThread, longestMs: 300, failed: (error) => failures.push(error) });
    const [late, next] = await Promise.allSettled([workers.png(endless), workers.png(good)]);
    expect(late).toMatchObject({ reason: { code: 'OVERLOADED', retryAfterSeconds: 5 } });
    expect(late).toHaveProperty('reason.message', expect.stringContaining('was not prepared within 300 ms'));
    expect(next).toEqual({ status: 'fulfilled', value: Uint8Array.of(9) });
    expect(failures).toEqual([]);
  });

  it('is not late where each of its frames is in time', async () => {
    const workers = workersWith({ entry: oddThread, longestMs: 1500 });
    expect(await workers.png(manyFrames)).toEqual(Uint8Array.of(5));
  });
});

describe('a thread that was told to end', () => {
  it('takes no other job, ended or not', async () => {
    const thread = openPixelThread(oddThread);
    await thread.ready;
    const ended = thread.end();
    expect(thread.lives).toBe(false);
    await ended;
  });
});

describe('jobs that wait', () => {
  it('are refused beyond a number, and nothing is held for them', async () => {
    const workers = workersWith({ entry: oddThread, mostWaiting: 2 });
    const jobs = Array.from({ length: 6 }, () => faultOf(workers.png(good)));
    const refused = (await Promise.all(jobs)).filter((error) => error !== undefined);
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatchObject({ code: 'OVERLOADED', retryAfterSeconds: 5 });
    expect(await workers.png(good)).toEqual(Uint8Array.of(9));
  });

  it('of a run, however many, leave room for those of somebody at a bedside', async () => {
    const workers = workersWith({ entry: oddThread, mostWaiting: 2 });
    const run = Array.from({ length: 6 }, () => faultOf(workers.png(good, { lane: 'back' })));
    expect(await workers.png(good)).toEqual(Uint8Array.of(9));
    expect((await Promise.all(run)).filter((error) => error !== undefined)).toHaveLength(3);
  });

  it('leave the queue when they are given up, and those behind them go on', async () => {
    const workers = workersWith({ entry: oddThread, longestMs: 300, mostWaiting: 2 });
    const gone = new AbortController();
    const first = faultOf(workers.png(endless));
    const second = faultOf(workers.png(endless, { signal: gone.signal }));
    const third = workers.png(good);
    gone.abort(new Error('nobody waits'));
    expect(await second).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(await faultOf(workers.png(good, { signal: gone.signal }))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(await first).toMatchObject({ code: 'OVERLOADED' });
    expect(await third).toEqual(Uint8Array.of(9));
  });

  it('go before those of a run where somebody waits at a bedside', async () => {
    const workers = workersWith({ entry: oddThread });
    const order: string[] = [];
    const work = (lane: 'front' | 'back') => workers.png(good, { lane }).then(() => order.push(lane));
    await Promise.all([work('back'), work('back'), work('back'), work('front')]);
    expect(order).toEqual(['back', 'front', 'back', 'back']);
  });

  it('fail when the server stops, as does what is under way', async () => {
    const workers = workersWith({ entry: oddThread });
    const jobs = [faultOf(workers.png(endless)), faultOf(workers.png(good))];
    await workers.close();
    for (const error of [...(await Promise.all(jobs)), await faultOf(workers.png(good))])
      expect(error).toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});

describe('many frames on their way to a thread', () => {
  const stack = (count: number): TensorJob => ({
    frames: Array.from({ length: count }, (_, at) => {
      const { form, attributes } = frameOf([[at]]);
      const bytes = new Uint8Array(Int16Array.of(at).buffer);
      return { bytes, transferSyntaxUid: '1.2.840.10008.1.2.1', form, attributes };
    }),
    definition: { take: 'stack', preprocess: [gray] },
  });

  it('all arrive, in their order, and the next job has its own', async () => {
    const workers = workersWith({});
    for (const count of [450, 400, 3]) {
      const { tensor } = await workers.make(stack(count));
      expect([...tensor]).toEqual(Array.from({ length: count }, (_, at) => at));
    }
  });

  it('fail with the job, and not the process, where the server stops or their thread ends in the middle of them', async () => {
    const unheard: unknown[] = [];
    const hear = (reason: unknown): void => void unheard.push(reason);
    process.on('unhandledRejection', hear);
    try {
      for (const turns of [1, 3]) {
        const workers = workersWith({ entry: oddThread });
        await workers.png(good);
        const job = faultOf(workers.make(stack(20_000)));
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        await workers.close();
        expect(await job).toMatchObject({ code: 'SHUTTING_DOWN' });
      }
    } finally {
      process.off('unhandledRejection', hear);
    }
    expect(unheard).toEqual([]);
  });

  it('give back what is held for them where they cannot be handed over', async () => {
    const ended: string[] = [];
    const [frame] = stack(1).frames;
    if (frame === undefined) throw new Error('a stack has a frame');
    // A part of a buffer is copied, and there may be no memory for that.
    const bytes = new Uint8Array(4).subarray(1);
    bytes[Symbol.iterator] = () => {
      throw new RangeError('Array buffer allocation failed');
    };
    const job = workersWith({ entry: oddThread }).make(
      { frames: [{ ...frame, bytes }], definition: { take: 'one-image', preprocess: [gray] } },
      { ended: () => ended.push('ended') },
    );
    await expect(job).rejects.toThrow('Array buffer allocation failed');
    expect(ended).toEqual(['ended']);
  });
});

describe.runIf(casesPresent)('an image in a thread', () => {
  const file = readFileSync(path.join(casesDir, 'dicom/files/CT_small.dcm'));

  function job(bytes: (whole: Uint8Array) => Uint8Array = (whole) => whole): TensorJob {
    const { dataset, transferSyntaxUid, frames } = readPart10(file);
    const attributes = readImageAttributes(dataset);
    if (attributes.pixels === undefined) throw new Error('it has no pixels');
    const frame: StatedFrame = {
      bytes: bytes(frames[0] ?? new Uint8Array()),
      transferSyntaxUid,
      form: attributes.pixels,
      attributes: attributes.frame(0),
    };
    return {
      frames: [frame],
      definition: {
        take: 'one-image',
        preprocess: [
          { step: 'window', center: 40, width: 400 },
          { step: 'resample', size: [32, 32], method: 'area', antialias: false },
          { step: 'channels', as: 'gray', place: 'first' },
        ],
      },
    };
  }

  it('becomes a tensor, and a preview that is a PNG of the whole image', async () => {
    const workers = workersWith({});
    const { tensor, shape, preview } = await workers.make(job());
    expect(shape).toEqual([1, 32, 32]);
    expect(tensor).toHaveLength(32 * 32);
    expect(preview).toMatchObject({ rows: 128, columns: 128, channels: 1, frame: 0 });
    expect(preview.toTensor).toEqual({ rows: { scale: 0.25, offset: 0 }, columns: { scale: 0.25, offset: 0 } });
    const png = decode(await workers.png(preview));
    expect(png).toMatchObject({ width: 128, height: 128, channels: 1, depth: 8 });
    expect(Uint8Array.from(png.data)).toEqual(preview.data);
  });

  it('has the whole time for each of its frames, and for what is made of all of them', () => {
    const begun: string[] = [];
    expect(answerPixelJob({ tensor: job() }, () => begun.push('frame'))).toHaveProperty('made');
    expect(begun).toHaveLength(2);
  });

  it('is the same whether its bytes are a buffer of their own or a part of one, which is left as it is', async () => {
    const workers = workersWith({});
    const own = await workers.make(job((bytes) => Uint8Array.from(bytes)));
    const holder = new Uint8Array(file.length + 8);
    const part = await workers.make(
      job((bytes) => {
        holder.set(bytes, 8);
        return holder.subarray(8, 8 + bytes.length);
      }),
    );
    expect(part.tensor).toEqual(own.tensor);
    expect(holder).toHaveLength(file.length + 8);
  });

  it('that is damaged is refused with the reason of the decoder', async () => {
    const workers = workersWith({});
    expect(await faultOf(workers.make(job((bytes) => bytes.slice(0, bytes.length / 2))))).toBe('image-damaged');
  });
});
