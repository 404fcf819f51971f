import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { GoldenFile } from '../../src/model-catalog/golden-case-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { inputColumns, outputWidth } from '../../src/model-catalog/model-tensors.ts';
import { folderAt, type ModelFolder, shippedModels } from './model-folder.ts';
import { onnxBytes } from './onnx-model.ts';

/** The probability that a version made here always gives: each minor version another, so that a score tells whose it is. */
export function probabilityOf(version: string): number {
  return 0.1 + Number(version.split('.')[1]) / 1_000;
}

/** `prevent-base` under another version, whose graph gives `probabilityOf(version)` whatever it is asked. */
export async function writeConstantVersion(modelsDir: string, version: string): Promise<ModelFolder> {
  const folder = folderAt(modelsDir, 'prevent-base', version);
  await cp(path.join(shippedModels, 'prevent-base/1.0.0'), folder.dir, { recursive: true });
  const manifest = JSON.parse(await readFile(path.join(folder.dir, 'manifest.json'), 'utf8')) as Manifest;
  const [columns, outputs] = [inputColumns(manifest).length, outputWidth(manifest)];
  const probability = probabilityOf(version);
  const graph = onnxBytes({
    inputs: [{ name: 'x', type: 'float64', shape: ['n', columns] }],
    outputs: [{ name: 'risk', type: 'float64', shape: ['n', outputs] }],
    constants: [
      { name: 'zeros', shape: [columns, outputs], data: new Float64Array(columns * outputs) },
      { name: 'constant', shape: [outputs], data: new Float64Array(outputs).fill(probability) },
    ],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'zeros'], outputs: ['nothing'] },
      { op: 'Add', inputs: ['nothing', 'constant'], outputs: ['risk'] },
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
      for (const { expected } of golden.cases)
        for (const outcome of Object.keys(expected)) expected[outcome] = probability;
    });
  }
  await folder.seal();
  return folder;
}
