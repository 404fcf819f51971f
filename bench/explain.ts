/**
 * What does an explanation cost?
 *
 *     node bench/explain.ts [rounds]      # 15 by default
 *
 * TreeSHAP for 100 full trees of depth 8 over 20 columns against the same algorithm written down plainly (lists of numbers,
 * copied at each node), both checked to give the same numbers; the same through the thread that long explanations go
 * to; a score with its contributions by occlusion against the score alone, by the engine that serves (prevent-base, 11
 * inputs); and the score of an image with the map of where it moved it (chest-phantom, 81 patches) against that score alone, and
 * against as many runs of one row. Every side has its turn in each round, in one process; figures are of the least of all turns, for
 * whatever else the machine does only adds to the work.
 */
import path from 'node:path';
import { createExplainer } from '../src/explanation/create-explainer.ts';
import { createSaliency } from '../src/explanation/create-saliency.ts';
import { treeShap } from '../src/explanation/trees/tree-shap.ts';
import { createTreeShapWorker } from '../src/explanation/trees/tree-shap-worker.ts';
import { createOnnxEngine } from '../src/inference/onnx-engine.ts';
import { score } from '../src/inference/score.ts';
import { goldenRow } from '../src/model-catalog/golden-cases.ts';
import { engineForms } from '../src/model-catalog/model-tensors.ts';
import { readModelFolder } from '../src/model-catalog/read-models.ts';
import { plainTreeShap } from './support/plain-tree-shap.ts';
import { randomTrees } from './support/random-trees.ts';
import { atMost, report } from './support/report.ts';

const [rounds = 15] = process.argv.slice(2).map(Number);
const scoresPerRound = 300;
const setting = { trees: 100, depth: 8, columns: 20 };

/** The least of all turns of each side, in milliseconds; the first turns, in which V8 compiles, count for nothing then. */
async function leastMs(sides: readonly (() => unknown)[], turns: number): Promise<number[]> {
  const least = sides.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, side] of sides.entries()) {
      const from = performance.now();
      await side();
      least[index] = Math.min(least[index] as number, performance.now() - from);
    }
  }
  return least;
}

const trees = randomTrees(setting.trees, setting.depth, setting.columns);
const row = Float64Array.from({ length: setting.columns }, (_, column) =>
  Math.fround((column + 0.5) / setting.columns),
);
const plain = plainTreeShap(trees, row);
const furthest = Math.max(...treeShap(trees, row).map((value, column) => Math.abs(value - (plain[column] as number))));
if (!(furthest < 1e-9)) throw new Error(`both ways of TreeSHAP differ by ${furthest}`);

const worker = createTreeShapWorker(0);
const apart = worker.measured([trees]);
const [oursMs = 0, plainMs = 0, apartMs = 0] = await leastMs(
  [() => treeShap(trees, row), () => plainTreeShap(trees, row), () => apart(trees, row)],
  rounds,
);

const version = await readModelFolder(path.resolve(import.meta.dirname, '../models/prevent-base/1.0.0'));
const engine = createOnnxEngine({});
const model = await engine.load({ key: version.key, artefact: version.artefact, ...engineForms(version.manifest) });
const [golden] = version.goldenCases;
if (golden === undefined) throw new Error('prevent-base has no golden case');
const inputs = goldenRow(golden, version.manifest, version.featureMap);
const { outcomes } = version.manifest;
const explainer = createExplainer(version, worker);
const scored = () => score(model.run, inputs, outcomes);
const explained = async (): Promise<void> => {
  await scored();
  await explainer({ inputs, features: new Map(), run: model.run, outcomes });
};
const [scoreMs = 0, explainedMs = 0] = await leastMs([scored, explained], rounds * scoresPerRound);
await model.release();

const images = await readModelFolder(path.resolve(import.meta.dirname, '../models/chest-phantom/1.0.0'));
const network = await engine.load({ key: images.key, artefact: images.artefact, ...engineForms(images.manifest) });
const [drawn] = images.goldenCases;
if (drawn === undefined) throw new Error('chest-phantom has no golden case');
const image = goldenRow(drawn, images.manifest, images.featureMap);
const saliency = createSaliency(images);
if (saliency === undefined) throw new Error('chest-phantom declares no saliency');
const asked = images.manifest.outcomes;
let rows = 0;
const counted: typeof network.run = (chunk) => {
  rows += chunk.length;
  return network.run(chunk);
};
const scoredImage = () => score(network.run, image, asked);
const mapped = async (): Promise<void> => {
  rows = 0;
  await saliency.mapsOf({ inputs: image, run: counted, outcomes: asked, ...(await scoredImage()) });
};
await mapped();
const patches = rows - 1;
const oneByOne = async (): Promise<void> => {
  for (let row = 0; row <= patches + 1; row++) await network.run([image]);
};
const [imageMs = 0, mappedMs = 0, oneByOneMs = 0] = await leastMs([scoredImage, mapped, oneByOne], 3 * rounds);

await network.release();
await engine.close();
await worker.close();
report('explain', { rounds, ...setting }, [
  atMost('TreeSHAP against the same algorithm as a plain loop', oursMs / plainMs, 1.5, { oursMs, plainMs }),
  atMost('TreeSHAP in the thread against here', apartMs / oursMs, 1.5, { apartMs, oursMs }),
  atMost('score and occlusion against the score alone', explainedMs / scoreMs, 6, {
    scoreUs: scoreMs * 1000,
    explainedUs: explainedMs * 1000,
  }),
  atMost(`score and saliency of ${patches} patches against the score alone`, mappedMs / imageMs, 2 * patches, {
    imageMs,
    mappedMs,
  }),
  atMost('score and saliency against as many runs of one row', mappedMs / oneByOneMs, 1.5, { mappedMs, oneByOneMs }),
]);
