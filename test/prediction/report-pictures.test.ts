import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSaliency } from '../../src/explanation/create-saliency.ts';
import { createRunningTime } from '../../src/explanation/running-time.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { createPixelWorkers, type PixelWorkers } from '../../src/imaging/preprocess/pixel-workers.ts';
import type { RunRows } from '../../src/model-catalog/model-row.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import type { PredictionRequest } from '../../src/prediction/prediction-request.ts';
import { type Pictures, reportPictures } from '../../src/prediction/report-pictures.ts';
import { byOcclusion, cornerImage, cornerManifest } from '../support/corner-network.ts';
import { readImage } from '../support/image-map.ts';

let workers: PixelWorkers;
beforeAll(() => {
  workers = createPixelWorkers({ threads: 1 });
});
afterAll(() => workers.close());

const tensor = new Float32Array(64).fill(0.5);
const read = readImage();
const axis = { scale: 1, offset: 0 };
const image: NonNullable<typeof read.image> = {
  ...(read.image as NonNullable<typeof read.image>),
  tensor,
  shape: [1, 8, 8],
  preview: {
    rows: 8,
    columns: 8,
    channels: 1,
    data: new Uint8Array(64).fill(100),
    frame: 0,
    toTensor: { rows: axis, columns: axis },
  },
};
const observed: FeatureValue = { ...read, image };

/** 0.9, and 0.4 without the first pixel. */
const corner: RunRows = async (rows) => rows.map(([pixels]) => [(pixels as Float32Array)[0] === 0 ? 0.4 : 0.9]);

interface Asked {
  readonly run?: RunRows;
  readonly features?: ReadonlyMap<string, FeatureValue>;
  readonly request?: Pick<PredictionRequest, 'explain' | 'answerBy'>;
  readonly events?: LogEvent[];
  readonly scored?: boolean;
}

async function picturesOf({
  run = corner,
  features = new Map([['frontal', observed]]),
  request = {},
  events = [],
  scored = true,
}: Asked = {}): Promise<Pictures> {
  const manifest = cornerManifest({ ...byOcclusion, patch: [4, 4], stride: [4, 4] });
  const method = createSaliency({ manifest, featureMap: { features: { frontal: cornerImage } } });
  if (method === undefined) throw new Error('the manifest declares no saliency');
  return await reportPictures(
    { imaging: { workers }, event: (event) => events.push(event) },
    { manifest, saliency: { method, time: createRunningTime() } },
    { entrance: 'fhir-operation', ...request },
    {
      row: [tensor, 50],
      features,
      outcomes: scored ? manifest.outcomes : [],
      scores: new Map(scored ? [['finding', 0.9]] : []),
      details: new Map(),
      output: [0.9],
      run: () => run,
    },
  );
}

describe('DR-4: the pictures of a report', () => {
  it('show the image with what moved the score over it, and say what it is about and what the colours mean', async () => {
    const { pictures = [] } = await picturesOf();
    expect(pictures).toHaveLength(1);
    expect(pictures[0]?.title).toBe(
      'Finding: 90.0 % (900 in 1,000). Orange: what raised it; blue: what lowered it; the strongest colour: by 50.00 percentage points. Occlusion: the difference made by the value 0 in the place of 4 × 4 pixels of what the model was given. Dark and hatched: not seen by the model.',
    );
    const { data, width, height, channels } = decode(pictures[0]?.png ?? new Uint8Array());
    expect([height, width, channels]).toEqual([16, 8, 3]);
    expect([height, width]).toEqual([pictures[0]?.rows, pictures[0]?.columns]);
    expect([...data.slice(0, 3)]).toEqual([179, 96, 30]);
    expect([...data.slice((8 * 8 - 1) * 3, 8 * 8 * 3)]).toEqual([100, 100, 100]);
  });

  it('are the same bytes for the same inputs', async () => {
    expect(await picturesOf()).toEqual(await picturesOf());
  });

  it('hardly colour a difference that is nothing', async () => {
    const { pictures } = await picturesOf({
      run: async (rows) => rows.map(([pixels]) => [(pixels as Float32Array)[0] === 0 ? 0.9 : 0.9000001]),
    });
    expect(pictures?.[0]?.title).toContain('the strongest colour: by 1.00 percentage points');
    expect([...decode(pictures?.[0]?.png ?? new Uint8Array()).data.slice(0, 3)]).toEqual([100, 100, 100]);
  });

  it('never fail the prediction: the report says that they could not be made, and the log why', async () => {
    const events: LogEvent[] = [];
    const failed = new PredictionError('INFERENCE_FAILED', 'test');
    expect(await picturesOf({ run: () => Promise.reject(failed), events })).toEqual({
      noPictures: 'it could not be made (INFERENCE_FAILED)',
    });
    expect(events).toEqual([{ name: 'explanation.degraded', model: 'corner@1.0.0', error: failed }]);
  });

  it('are left out first where the answer is due, and where nobody asked for an explanation', async () => {
    expect(await picturesOf({ request: { answerBy: performance.now() - 1 } })).toEqual({
      noPictures: expect.stringMatching(/too late/),
    });
    expect(await picturesOf({ request: { explain: false } })).toEqual({ noPictures: 'not asked for' });
  });

  it('hold up no answer that is due while they are made, which is no failure', async () => {
    const events: LogEvent[] = [];
    const { promise, reject } = Promise.withResolvers<number[][]>();
    const asked = picturesOf({ run: () => promise, request: { answerBy: performance.now() + 5 }, events });
    expect(await asked).toEqual({ noPictures: expect.stringMatching(/too late/) });
    reject(new PredictionError('DEADLINE_EXCEEDED', 'test'));
    await new Promise(setImmediate);
    expect(events).toEqual([]);
  });

  it('are none where there is no image', async () => {
    expect(await picturesOf({ features: new Map() })).toEqual({ noPictures: 'there is no image' });
  });

  it('are none, and the report says why, where no outcome that they are about has a score', async () => {
    const events: LogEvent[] = [];
    expect(await picturesOf({ scored: false, events })).toEqual({
      noPictures: 'no outcome that pictures are about has a score',
    });
    expect(events).toEqual([]);
  });
});
