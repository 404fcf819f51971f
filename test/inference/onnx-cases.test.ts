import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionRequest } from '../../src/inference/model-session.ts';
import { openProcess } from '../../src/inference/sessions/process-channel.ts';
import { createSessionClient, type SessionClient } from '../../src/inference/sessions/session-client.ts';
import { openThread } from '../../src/inference/sessions/thread-channel.ts';
import type { Tensors } from '../../src/model-catalog/tensor.ts';
import { casesPresent } from '../support/cases.ts';
import { createGraphOpener, type GraphOpener, type InferringGraph } from '../support/graph-opener.ts';
import { type OnnxCase, onnxCases, storedMisfit } from '../support/onnx-cases.ts';
import { onnxBytes, sigmoidModel } from '../support/onnx-model.ts';

/** Set for the long form: all image networks, half a minute. */
const isSoak = process.env.ENGINE_SOAK !== undefined;

const cases = casesPresent ? onnxCases() : [];
const named = (name: string): OnnxCase => {
  const found = cases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the cases hold no onnx/${name}`);
  return found;
};
const list = (chosen: readonly OnnxCase[]): [string, OnnxCase][] => chosen.map((each) => [each.name, each]);

/** These texts are folded by the rules of a locale that not every machine has: without it ONNX Runtime refuses them. */
const byLocale = cases.filter(({ name }) => name.includes('strnorm_model_monday'));
const matching = cases.filter(({ verdict }) => verdict === 'match');
const imageNetworks = matching.filter(({ name }) => name.startsWith('models/light_'));
const others = matching.filter(({ name }) => !name.startsWith('models/light_'));
const refused = cases.filter((each) => each.verdict !== 'match' && !byLocale.includes(each));

type Infer = (feeds: Tensors, wanted: readonly string[]) => Promise<Tensors>;

async function expectStored(each: OnnxCase, infer: Infer): Promise<void> {
  for (const { inputs, outputs } of each.runs()) {
    const found = await infer(inputs, [...outputs.keys()]);
    for (const [name, stored] of outputs) expect(storedMisfit(found.get(name), stored), name).toBeUndefined();
  }
}

describe.runIf(casesPresent)('ONNX graphs of others', () => {
  let opener: GraphOpener;
  let neighbour: InferringGraph;
  beforeAll(async () => {
    opener = createGraphOpener();
    neighbour = await opener.open(onnxBytes(sigmoidModel('float64', 1)));
  });
  afterAll(() => opener.close());

  const expectAlive = async (): Promise<void> => {
    const feeds: Tensors = new Map([['x', { type: 'float64', dims: [1, 1], data: Float64Array.of(0) }]]);
    expect((await neighbour.infer(feeds)).get('risk')?.data).toEqual(Float64Array.of(0.5));
  };

  test('there are as many as there were', () => {
    expect([matching.length, refused.length, byLocale.length]).toEqual([105, 29, 3]);
  });

  test.each(list(others))('%s gives its stored output', async (_, each) => {
    const graph = await opener.open(each.artefact());
    try {
      await expectStored(each, graph.infer);
    } finally {
      await graph.release();
    }
  });

  test.each(list(refused))('%s is refused with the reason, and others go on', async (_, each) => {
    await expect(opener.open(each.artefact())).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/^Model test@1\.0\.0 is refused: model\.onnx is refused by ONNX Runtime: ./),
    });
    await expectAlive();
  });

  test.each(list(byLocale))('%s gives its stored output, or is refused where the locale is absent', async (_, each) => {
    const opened = await opener.open(each.artefact()).catch((error: unknown) => error);
    if (opened instanceof Error) {
      expect(opened).toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining('locale') });
      await expectAlive();
    } else await expectStored(each, (opened as InferringGraph).infer);
  });

  // Texts, booleans, whole numbers of 64 bits, float16, scalars, NaN, nothing at all, and many columns.
  const ofEveryType = [
    'node/test_ai_onnx_ml_label_encoder_string_int',
    'node/test_string_split_maxsplit',
    'node/test_loop11',
    'node/test_isnan',
    'node/test_attention_4d_fp16',
    'node/test_slice_start_out_of_bounds',
    'simple/test_sequence_model8',
    'models/skl_treecl',
  ];

  test.each<[string, () => SessionClient]>([
    ['thread', () => createSessionClient(openThread)],
    ['process', () => createSessionClient((listener) => openProcess(listener, { memoryMb: 4096, environment: {} }))],
  ])('a %s tries and runs graphs of every type as this one does', async (_, start) => {
    const client = start();
    for (const name of ofEveryType) {
      const session: SessionRequest = { key: name, artefact: named(name).artefact(), provider: 'cpu', threads: 1 };
      const opened = await client.open(session);
      await expectStored(named(name), opened.run);
      const { inputs, outputs } = await client.try({ session, budgetMs: 1 });
      expect({ inputs, outputs }).toEqual({ inputs: opened.inputs, outputs: opened.outputs });
      await opened.release();
    }
    for (const { artefact } of refused)
      await expect(
        client.open({ key: 'test@1.0.0', artefact: artefact(), provider: 'cpu', threads: 1 }),
      ).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringContaining('refused by ONNX Runtime'),
      });
    await client.close();
  });

  test('what the site does not trust is tried and run in processes', async () => {
    const apart = createGraphOpener({ triesApart: true });
    try {
      const loop = named('node/test_loop11');
      const graph = await apart.open(loop.artefact(), { isolated: true });
      expect(graph.report.place).toBe('process');
      await expectStored(loop, graph.infer);
      await expect(apart.open(refused[0]?.artefact() ?? new Uint8Array())).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringContaining('refused by ONNX Runtime'),
      });
    } finally {
      await apart.close();
    }
  });

  test.each(list(isSoak ? imageNetworks : imageNetworks.filter(({ name }) => name.endsWith('shufflenet'))))(
    '%s is run in a thread and gives its stored output',
    async (_, each) => {
      const apart = createGraphOpener({ triesApart: true });
      try {
        const graph = await apart.open(each.artefact());
        expect(graph.report.place).toBe('thread');
        await expectStored(each, graph.infer);
      } finally {
        await apart.close();
      }
    },
  );
});
