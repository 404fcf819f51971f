import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { GoldenFile } from '../../src/model-catalog/golden-case-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { inputColumns, outputWidth } from '../../src/model-catalog/model-tensors.ts';
import { copyModel, type ModelFolder } from './model-folder.ts';
import { slowOnnx } from './slow-onnx.ts';

/**
 * A models folder whose `prevent-base` takes about a third of a second for each row, or as long as the graph's size makes it,
 * and gives 50 % for men and 20 % for women. One golden case of each sex is left in each file, where it has both: all of them would
 * take their time.
 */
export async function slowModelFolder(graph: Parameters<typeof slowOnnx>[2] = {}): Promise<ModelFolder> {
  const folder = await copyModel('prevent-base');
  const manifest = JSON.parse(await readFile(path.join(folder.dir, 'manifest.json'), 'utf8')) as Manifest;
  const columns = inputColumns(manifest);
  const weights = columns.map(({ feature }) => (feature === 'sex' ? Math.log(0.25) : 0));
  await folder.write('model.onnx', slowOnnx(columns.length, outputWidth(manifest), { size: 1_000, weights, ...graph }));
  for (const file of Object.keys(manifest.checksums).filter((name) => name.startsWith('golden/'))) {
    await folder.edit(file, (golden: GoldenFile) => {
      const ofSex = (sex: string) => golden.cases.filter(({ inputs }) => inputs.sex === sex).slice(0, 1);
      golden.cases = [...ofSex('female'), ...ofSex('male')];
      for (const { inputs, expected } of golden.cases)
        for (const outcome of Object.keys(expected)) expected[outcome] = inputs.sex === 'female' ? 0.2 : 0.5;
    });
  }
  await folder.seal();
  return folder;
}
