import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { GoldenFile } from '../../src/model-catalog/golden-case-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { inputColumns, outputWidth } from '../../src/model-catalog/model-tensors.ts';
import { folderAt, type ModelFolder, shippedModels } from './model-folder.ts';
import { onnxBytes } from './onnx-model.ts';

/** The age at which a version made here gives `probabilityOf` it: that of the patient who is asked about. */
const askedAge = 57;

/** The probability that a version gives at that age: each minor version another, so that a score tells whose it is. */
export function probabilityOf(version: string): number {
  return 0.1 + Number(version.split('.')[1]) / 1_000;
}

/** What it gives at another age: golden cases must hold a low and a high one. */
function probabilityAt(version: string, age: number): number {
  return 1 / (1 + Math.exp(-(interceptOf(version) + perYear * age)));
}

const perYear = 0.05;

function interceptOf(version: string): number {
  const probability = probabilityOf(version);
  return Math.log(probability / (1 - probability)) - perYear * askedAge;
}

/** `prevent-base` under another version, whose graph reads nothing but the age. */
export async function writeConstantVersion(modelsDir: string, version: string): Promise<ModelFolder> {
  const folder = folderAt(modelsDir, 'prevent-base', version);
  await cp(path.join(shippedModels, 'prevent-base/1.0.0'), folder.dir, { recursive: true });
  const manifest = JSON.parse(await readFile(path.join(folder.dir, 'manifest.json'), 'utf8')) as Manifest;
  const [columns, outputs] = [inputColumns(manifest).length, outputWidth(manifest)];
  const weights = new Float64Array(columns * outputs).fill(perYear, 0, outputs); // age is the first column
  const graph = onnxBytes({
    inputs: [{ name: 'x', type: 'float64', shape: ['n', columns] }],
    outputs: [{ name: 'risk', type: 'float64', shape: ['n', outputs] }],
    constants: [
      { name: 'weights', shape: [columns, outputs], data: weights },
      { name: 'intercepts', shape: [outputs], data: new Float64Array(outputs).fill(interceptOf(version)) },
    ],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'weights'], outputs: ['product'] },
      { op: 'Add', inputs: ['product', 'intercepts'], outputs: ['sum'] },
      { op: 'Sigmoid', inputs: ['sum'], outputs: ['risk'] },
    ],
  });
  await folder.write('model.onnx', graph);
  for (const file of ['manifest.json', 'model-card.json']) {
    await folder.edit(file, (json) => {
      json.version = version;
    });
  }
  for (const file of Object.keys(manifest.checksums).filter((name) => name.startsWith('golden/'))) {
    await folder.edit(file, (golden: GoldenFile) => {
      for (const { inputs, expected } of golden.cases)
        for (const outcome of Object.keys(expected)) expected[outcome] = probabilityAt(version, Number(inputs.age));
    });
  }
  await folder.seal();
  return folder;
}
