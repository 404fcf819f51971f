import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineModel, InferenceEngine, LoadedModel } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { loadCatalog } from '../../src/model-catalog/catalog.ts';
import type { ModelRow } from '../../src/model-catalog/model-row.ts';
import type { Tensor, Tensors } from '../../src/model-catalog/tensor.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { bitsOf } from '../support/arbitrary-tensor.ts';
import { casesPresent } from '../support/cases.ts';
import { createGraphOpener, type GraphOpener } from '../support/graph-opener.ts';
import { shippedModels } from '../support/model-folder.ts';
import { onnxCases } from '../support/onnx-cases.ts';
import { type OnnxModel, onnxBytes } from '../support/onnx-model.ts';
import {
  denseNetwork,
  elementwise,
  embeddingNetwork,
  linearClassifier,
  meansOfAll,
  ownMeans,
  quantisedNetwork,
  recurrentNetwork,
  softmaxOverRows,
} from '../support/onnx-networks.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** Of each model; the long form is in `npm run soak`. */
const rowCount = process.env.ENGINE_SOAK === undefined ? 300 : 10_000;

/** Scores rows; of each the bits. */
type Score = (rows: readonly ModelRow[]) => Promise<string[]>;

const bits = (row: readonly number[]): string => Buffer.from(Float64Array.from(row).buffer).toString('hex');
const scoreOf =
  (model: LoadedModel): Score =>
  async (rows) =>
    (await model.run(rows)).map(bits);

/** Those whose bits in company, asked for by many callers at once in calls of any size, are not those alone. */
async function changedInCompany(score: Score, rows: readonly ModelRow[]): Promise<string[]> {
  const alone: string[] = [];
  for (const row of rows) alone.push(...(await score([row])));
  const random = seededRandom(rows.length);
  const order = rows.map((_, index) => index).sort(() => random() - 0.5);
  const changed: string[] = [];
  for (let from = 0; from < order.length; ) {
    const calls: Promise<void>[] = [];
    for (let callers = 1 + Math.floor(8 * random()); callers > 0 && from < order.length; callers--) {
      const part = order.slice(from, from + 1 + Math.floor(300 * random() ** 4));
      from += part.length;
      calls.push(
        score(part.map((index) => rows[index] ?? [])).then((together) => {
          for (const [at, index] of part.entries())
            if (together[at] !== alone[index]) changed.push(`row ${index}, as ${at} of ${part.length}`);
        }),
      );
    }
    await Promise.all(calls);
  }
  return changed;
}

/** Rows whose columns are drawn from samples, each for itself; what is no text and no whole number is moved by up to a tenth. */
function rowsLike(samples: readonly ModelRow[], seed: number): ModelRow[] {
  const random = seededRandom(seed);
  const width = samples[0]?.length ?? 0;
  return Array.from({ length: rowCount }, () =>
    Array.from({ length: width }, (_, column) => {
      const value = samples[Math.floor(random() * samples.length)]?.[column] ?? 0;
      return typeof value !== 'number' || Number.isInteger(value) ? value : value * (0.9 + 0.2 * random());
    }),
  );
}

/** Numbers about nothing, from far below to far above. */
function spreadRows(columns: number, random = seededRandom(3)): number[][] {
  const number = (): number => 5 * (random() + random() + random() - 1.5) * 10 ** (2 * random() - 1);
  return Array.from({ length: rowCount }, () => Array.from({ length: columns }, number));
}

const positive = (rows: number[][]): number[][] => rows.map((row) => row.map((value) => Math.abs(value) + 0.01));

describe('a row scores the same bits alone and in company', () => {
  const shipped = new Map<string, { readonly given: EngineModel; readonly model: LoadedModel }>();
  let engine: InferenceEngine;
  let opener: GraphOpener;
  beforeAll(async () => {
    engine = createOnnxEngine();
    opener = createGraphOpener();
    await loadCatalog({
      modelsDir: shippedModels,
      clock: systemClock,
      engine: {
        describe: (given) => engine.describe(given),
        async load(given) {
          const model = await engine.load(given);
          shipped.set(given.key, { given, model });
          return model;
        },
      },
    });
  });
  afterAll(async () => {
    await opener.close();
    await engine.close();
  });

  const load = (model: OnnxModel, samples: readonly (readonly number[])[]): Promise<LoadedModel> =>
    engine.load({
      key: 'test@1.0.0',
      artefact: onnxBytes(model),
      inputs: [{ name: 'x', type: 'float32', columns: Number(model.inputs[0]?.shape[1]) }],
      outputs: [{ name: 'risk', type: 'float32', columns: Number(model.outputs.at(-1)?.shape[1]) }],
      samples,
    });

  test('in every shipped model', async () => {
    expect(shipped.size).toBeGreaterThanOrEqual(12);
    for (const [key, { given, model }] of shipped) {
      expect(model.report.batches.grade, key).toMatch(/^(bitwise|padded)$/);
      expect(await changedInCompany(scoreOf(model), rowsLike(given.samples ?? [], 1)), key).toEqual([]);
    }
  });

  test.each<[string, OnnxModel, RegExp, (columns: number) => number[][]]>([
    ['a dense network', denseNetwork(20, 64, 3), /bitwise|padded/, spreadRows],
    ['a dense network of odd widths', denseNetwork(7, 37, 1), /bitwise|padded/, spreadRows],
    ['many columns', denseNetwork(400, 16, 2), /bitwise|padded/, spreadRows],
    ['a logarithm', elementwise('Log', 1), /padded/, (columns) => positive(spreadRows(columns))],
    ['logarithms', elementwise('Log', 3), /padded/, (columns) => positive(spreadRows(columns))],
    ['an operator that differs once in many rows', elementwise('Elu', 5), /padded/, spreadRows],
    ['its own mean', ownMeans(20), /bitwise|padded/, spreadRows],
    ['a linear classifier', linearClassifier(12, [0, 1, 5]), /bitwise|padded/, spreadRows],
    ['sequences', recurrentNetwork('LSTM', 12, 5, 16), /bitwise|padded/, spreadRows],
    ['sequences of another kind', recurrentNetwork('GRU', 9, 3, 7), /bitwise|padded/, spreadRows],
  ])('in %s, whatever single sample there is', async (_, graph, grade, makeRows) => {
    const rows = makeRows(Number(graph.inputs[0]?.shape[1]));
    const model = await load(graph, rows.slice(0, 1));
    expect(model.report.batches.grade).toMatch(grade);
    expect(await changedInCompany(scoreOf(model), rows)).toEqual([]);
    await model.release();
  });

  test.runIf(casesPresent).each(['models/skl_treecl', 'models/skl_treecl3'])('in the trees of %s', async (name) => {
    const trees = onnxCases().find((each) => each.name === name);
    const [first] = trees?.runs() ?? [];
    const [[input, sample] = ['', undefined]] = first?.inputs ?? [];
    if (trees === undefined || first === undefined || sample === undefined) throw new Error(`there is no ${name}`);
    const graph = await opener.open(trees.artefact(), { samples: first.inputs });
    const columns = sample.dims[1] ?? 0;
    const score: Score = async (rows) => {
      const feeds: Tensors = new Map([
        [input, { type: 'float32', dims: [rows.length, columns], data: Float32Array.from(rows.flat()) }],
      ]);
      const outputs = await graph.infer(feeds);
      return rows.map((_, row) => JSON.stringify([...outputs.values()].map((tensor) => bitsOf(rowOf(tensor, row)))));
    };
    expect(graph.report.batches.grade).toMatch(/bitwise|padded/);
    expect(await changedInCompany(score, spreadRows(columns))).toEqual([]);
  });

  test.each([
    ['a mean over all rows', meansOfAll(5)],
    ['a softmax over the rows', softmaxOverRows(5)],
    ['steps that depend on all rows', quantisedNetwork(5)],
  ])('nobody is scored by who else was asked about: %s runs each row by itself', async (_, graph) => {
    const rows = spreadRows(5).slice(0, 100);
    const model = await load(graph, rows.slice(0, 1));
    expect(model.report.batches).toEqual({ grade: 'single' });
    expect(await changedInCompany(scoreOf(model), rows)).toEqual([]);
  });

  test('a last bit is not left to luck: where an operator works on several numbers at once rows fill its vectors', async () => {
    // The one sample and all that is like it give the same bits whoever is beside them.
    const model = await load(elementwise('Softplus', 3), [[0, 0, 0]]);
    expect(model.report.batches).toEqual({ grade: 'padded', padTo: 16 });
    expect(await changedInCompany(scoreOf(model), spreadRows(3))).toEqual([]);
  });

  test('a model that takes only some numbers is not refused for those that the trial makes up', async () => {
    const model = await load(embeddingNetwork(13, 4), [[12]]);
    const rows = Array.from({ length: 50 }, (_, index) => [index % 13]);
    expect(await changedInCompany(scoreOf(model), rows)).toEqual([]);
    await expect(model.run([[13]])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  });

  test('whole numbers and texts that were made up all alike would hide that rows change each other', async () => {
    const graph = await opener.open(
      onnxBytes({
        inputs: [{ name: 'x', type: 'int64', shape: ['n', 1] }],
        outputs: [{ name: 'risk', type: 'float32', shape: ['n', 1] }],
        nodes: [
          { op: 'Cast', inputs: ['x'], outputs: ['number'], to: 'float32' },
          { op: 'ReduceMean', inputs: ['number'], outputs: ['mean'], attributes: { axes: { ints: [0] } } },
          { op: 'Sub', inputs: ['number', 'mean'], outputs: ['risk'] },
        ],
      }),
    );
    expect(graph.report.batches).toEqual({ grade: 'single' });
  });

  test('an output that nobody graded is never worked out in the company of strangers', async () => {
    const columns = 2;
    const own = softmaxOverRows(columns);
    const model = await load(
      {
        ...own,
        outputs: [
          { name: 'share', type: 'float32', shape: ['n', columns] },
          { name: 'risk', type: 'float32', shape: ['n', columns] },
        ],
        nodes: [
          { op: 'Softmax', inputs: ['x'], outputs: ['share'], axis: 0 },
          { op: 'Sigmoid', inputs: ['x'], outputs: ['risk'] },
        ],
      },
      [[1, 2]],
    );
    expect(model.report.batches).toEqual({ grade: 'bitwise' });
    const ask = (value: number): Promise<Tensors> =>
      model.infer(new Map([['x', { type: 'float32', dims: [1, 2], data: Float32Array.of(value, -value) }]]));
    const answers = await Promise.all([1, 2, 3, 4].map(ask));
    for (const answer of answers) expect(answer.get('share')?.data).toEqual(Float32Array.of(1, 1));
  });
});

function rowOf(tensor: Tensor, row: number): Tensor {
  const width = tensor.data.length / (tensor.dims[0] ?? 1);
  return { ...tensor, dims: [1, width], data: tensor.data.slice(row * width, (row + 1) * width) } as Tensor;
}
