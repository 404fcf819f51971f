import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { TensorDefinition } from '../src/imaging/preprocess/make-tensor.ts';
import type { StatedFrame } from '../src/imaging/preprocess/pixel-messages.ts';
import { createPixelWorkers } from '../src/imaging/preprocess/pixel-workers.ts';

/**
 * 200 radiographs of 2,000 × 2,400 pixels of 16 bits, prepared for a network of 224 × 224: how long the event loop is kept from its work
 * meanwhile, and what memory is held. `node bench/images.ts [studies]`
 */

const studies = Number(process.argv[2] ?? 200);
const [rows, columns] = [2000, 2400];

/** A picture that is not even: a disc on a slope. */
function pixels(seed: number): Uint8Array {
  const stored = new Uint16Array(rows * columns);
  for (let at = 0; at < stored.length; at++) {
    const row = Math.floor(at / columns) - 1000;
    const column = (at % columns) - 1200;
    stored[at] = (row * row + column * column < 500_000 ? 1500 : 400) + ((at * 7 + seed) % 97);
  }
  return new Uint8Array(stored.buffer);
}

function frameOf(bytes: Uint8Array): StatedFrame {
  const form = {
    rows,
    columns,
    samplesPerPixel: 1,
    bitsAllocated: 16,
    bitsStored: 12,
    highBit: 11,
    signed: false,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME1',
    frames: 1,
    lossy: false,
  } as const;
  const attributes = {
    modalityLut: { kind: 'none' },
    windows: [{ center: 1000, width: 2000, function: 'LINEAR' }],
    voiLuts: [],
  } as const;
  return { bytes, transferSyntaxUid: '1.2.840.10008.1.2.1', form, attributes };
}

const definition: TensorDefinition = {
  take: 'one-image',
  preprocess: [
    { step: 'window', from: 'image' },
    { step: 'resample', size: [224, 224], method: 'linear', antialias: true },
    { step: 'channels', as: 'gray-to-3', place: 'first' },
    { step: 'normalise', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  ],
};

/** The delay of the event loop in milliseconds while something is done; what is drawn here, in this thread, is left out. */
async function delayDuring(work: () => Promise<void>): Promise<{ p50: number; p99: number; max: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  const ms = (nanoseconds: number): number => Math.round(nanoseconds / 1e4) / 100;
  return { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) };
}

const rssMb = (): number => Math.round(process.memoryUsage.rss() / 2 ** 20);
const drawn = pixels(1);
const workers = createPixelWorkers();
const idle = await delayDuring(() => wait(3000));
await workers.make({ frames: [frameOf(drawn.slice())], definition });

const rss: number[] = [];
const begun = performance.now();
const busy = await delayDuring(async () => {
  let next = 0;
  const one = async (): Promise<void> => {
    for (; next < studies; ) {
      next += 1;
      if (next % Math.ceil(studies / 8) === 0) rss.push(rssMb());
      await workers.make({ frames: [frameOf(drawn.slice())], definition });
    }
  };
  await Promise.all(Array.from({ length: 4 }, one));
});
const seconds = (performance.now() - begun) / 1000;
await workers.close();
process.stdout.write(
  `${JSON.stringify({ studies, seconds: Math.round(seconds * 10) / 10, perStudyMs: Math.round((seconds * 1000) / studies), idle, busy, rssMb: rss })}\n`,
);
