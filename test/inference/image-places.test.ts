import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { loadRemoteModel } from '../../src/inference/remote/load-remote-model.ts';
import { createRemoteEngine } from '../../src/inference/remote/remote-engine.ts';
import { imageNetwork, imageRisk } from '../support/image-model.ts';
import { onnxBytes } from '../support/onnx-model.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type StubProtocolServer, startStubProtocolServer } from '../support/stub-protocol-server.ts';

const size = [64, 48] as const;
const random = seededRandom(7);
const images = Array.from({ length: 3 }, () => Float32Array.from({ length: size[0] * size[1] }, random));
const model = {
  key: 'test@1.0.0',
  artefact: onnxBytes(imageNetwork(...size)),
  inputs: [
    { name: 'pixels', type: 'float32', columns: size[0] * size[1], shape: [1, ...size], isImage: true },
    { name: 'clinical', type: 'float32', columns: 1 },
  ],
  outputs: [{ name: 'risk', type: 'float32', columns: 1 }],
  samples: images.map((image, index) => [image, 40 + index]),
} as const;

describe.each([false, true])('a model of images, in a process of its own: %s', (isolated) => {
  const engine = createOnnxEngine({ isIsolated: () => isolated });
  let loaded: LoadedModel;
  beforeAll(async () => {
    loaded = await engine.load(model);
  });
  afterAll(() => engine.close());

  it('gives what the network says, alone and together, also of a part of a larger array', async () => {
    expect(loaded.report.place === 'process').toBe(isolated);
    const larger = Float32Array.from([9, ...(images[1] ?? []), 9]);
    const rows = [
      [images[0] as Float32Array, 50],
      [larger.subarray(1, -1), 60],
      [images[2] as Float32Array, 70],
    ];
    const together = await loaded.run(rows);
    rows.forEach(([image, age], index) => {
      expect(together[index]?.[0]).toBeCloseTo(imageRisk(image as Float32Array, size, age as number), 5);
    });
    for (const [index, row] of rows.entries()) expect(await loaded.run([row])).toEqual([together[index]]);
  });
});

describe('a model of images that another server runs', () => {
  let stub: StubProtocolServer;
  beforeAll(async () => {
    stub = await startStubProtocolServer();
  });
  afterAll(() => stub.close());

  it('is sent the very numbers of each image', async () => {
    const engine = createRemoteEngine('farm', {
      protocol: 'open-inference',
      url: stub.url,
      allowPlainHttp: false,
      timeoutMs: 30_000,
      attempts: 2,
      binary: true,
      connections: 4,
      maxAnswerMb: 1,
    });
    const remote = await loadRemoteModel(
      engine,
      { model: 'double' },
      {
        key: 'test@1.0.0',
        artefact: new Uint8Array(0),
        inputs: [{ name: 'x', type: 'float32', columns: 2, shape: [2], isImage: true }],
        outputs: [{ name: 'y', type: 'float32', columns: 2 }],
        samples: [[Float32Array.of(0.25, 0.5)]],
      },
      () => undefined,
    );
    const pixels = [Float32Array.of(0.1, 1e-30), Float32Array.of(Math.PI, -7)];
    expect(await remote.run(pixels.map((image) => [image]))).toEqual(
      pixels.map((image) => [...image.map((number) => 2 * number)]),
    );
    await remote.release();
    await engine.close();
  });
});
