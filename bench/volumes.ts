import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { occludeImage } from '../src/explanation/occlude-image.ts';
import type { StatedFrame } from '../src/imaging/preprocess/pixel-messages.ts';
import { createPixelWorkers } from '../src/imaging/preprocess/pixel-workers.ts';
import type { EngineModel } from '../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../src/inference/onnx-engine.ts';
import { imageLayout } from '../src/model-catalog/image-layout.ts';
import type { ImageDefinition } from '../src/model-catalog/image-schema.ts';
import { onnxBytes } from '../test/support/onnx-model.ts';
import { meanOfVolume } from '../test/support/onnx-networks.ts';

/**
 * A volume of 256 × 256 × 256, from 256 slices of 16 bits to the mean of its planes in a network, in a thread and in a process, and to
 * a map of occlusion: how long the event loop is kept from its work in each part. `longestTurnMs` is what this thread worked at
 * most between two turns (CPU time), whatever else the machine did meanwhile. `node bench/volumes.ts`
 */

const side = 256;
const shape = [side, side, side] as const;
const form = {
  rows: side,
  columns: side,
  samplesPerPixel: 1,
  bitsAllocated: 16,
  bitsStored: 12,
  highBit: 11,
  signed: false,
  planarConfiguration: 0,
  photometricInterpretation: 'MONOCHROME2',
  frames: 1,
  lossy: false,
} as const;
const definition: ImageDefinition = {
  kind: 'image',
  label: 'volume',
  study: { modality: ['CT'], window: 'P2D' },
  images: {},
  exclude: ['derived'],
  take: 'stack',
  preprocess: [
    { step: 'rescale', from: [0, 4095], to: [0, 1], clip: true },
    { step: 'resample', size: [...shape], method: 'linear', antialias: true },
    { step: 'channels', as: 'gray', place: 'none' },
  ],
  missing: 'abstain',
};

function slices(): StatedFrame[] {
  return Array.from({ length: side }, (_, slice) => ({
    bytes: new Uint8Array(Uint16Array.from({ length: side * side }, (__, at) => (at * 7 + slice * 13) % 4096).buffer),
    transferSyntaxUid: '1.2.840.10008.1.2.1',
    form,
    attributes: { modalityLut: { kind: 'none' }, windows: [], voiLuts: [] } as const,
  }));
}

const model: EngineModel = {
  key: 'volume@1',
  artefact: onnxBytes(meanOfVolume(...shape)),
  inputs: [{ name: 'volume', type: 'float32', columns: side ** 3, shape, isImage: true }],
  outputs: [{ name: 'y', type: 'float32', columns: 1 }],
};

interface Held {
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly longestTurnMs: number;
  readonly tookMs: number;
}

/** How long the event loop was kept from its work while something was done. */
async function heldDuring<Result>(work: () => Promise<Result>): Promise<{ result: Result; held: Held }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let isOver = false;
  let longest = 0;
  const cpuMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const watch = async (): Promise<void> => {
    for (let before = cpuMs(); !isOver; before = cpuMs()) {
      await turn();
      longest = Math.max(longest, cpuMs() - before);
    }
  };
  await wait(50);
  delay.enable();
  const watching = watch();
  const begun = performance.now();
  const result = await work();
  const tookMs = performance.now() - begun;
  await turn();
  isOver = true;
  await watching;
  delay.disable();
  const round = (ms: number): number => Math.round(ms * 10) / 10;
  return {
    result,
    held: {
      p99Ms: round(delay.percentile(99) / 1e6),
      maxMs: round(delay.max / 1e6),
      longestTurnMs: round(longest),
      tookMs: round(tookMs),
    },
  };
}

const report: Record<string, Held> = {};
const measured = async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
  const { result, held } = await heldDuring(work);
  report[name] = held;
  return result;
};

const workers = createPixelWorkers({ threads: 1 });
const frames = [slices(), slices()];
await measured('idle', () => wait(500));
await workers.make({ frames: frames.pop() ?? [], definition });
const { tensor } = await measured('tensor', () => workers.make({ frames: frames.pop() ?? [], definition }));
await workers.close();

for (const place of ['thread', 'process'] as const) {
  const engine = createOnnxEngine({ isIsolated: () => place === 'process' });
  const loaded = await engine.load(model);
  await loaded.run([[tensor]]);
  await measured(`${place}: one`, () => loaded.run([[tensor]]));
  await measured(`${place}: four at once`, () => Promise.all(Array.from({ length: 4 }, () => loaded.run([[tensor]]))));
  await measured(`${place}: occlusion of 4 patches`, () =>
    occludeImage({
      inputs: [tensor],
      cell: 0,
      layout: imageLayout(definition, shape),
      saliency: { patch: [128, 128], stride: [128, 128], baseline: 'mean' },
      run: (rows) => loaded.run(rows),
      scores: [{ outcome: 'y', of: ([y = Number.NaN]) => y }],
    }),
  );
  await loaded.release();
  await engine.close();
}
process.stdout.write(`${JSON.stringify(report, undefined, 1)}\n`);
