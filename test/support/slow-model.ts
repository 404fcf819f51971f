import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { GoldenFile } from '../../src/model-catalog/golden-case-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { inputColumns, outputWidth } from '../../src/model-catalog/model-tensors.ts';
import { copyModel, type ModelFolder } from './model-folder.ts';
import { slowOnnx } from './slow-onnx.ts';

/**
 * A models folder whose `prevent-base` takes about a third of a second for each row, or as long as the graph's size makes it,
 * and always gives 50 %. One golden case of each file is left: all of them would take their time.
 */
export async function slowModelFolder(graph: Parameters<typeof slowOnnx>[2] = {}): Promise<ModelFolder> {
  const folder = await copyModel('prevent-base');
  const manifest = JSON.parse(await readFile(path.join(folder.dir, 'manifest.json'), 'utf8')) as Manifest;
  await folder.write(
    'model.onnx',
    slowOnnx(inputColumns(manifest).length, outputWidth(manifest), { size: 1_000, ...graph }),
  );
  for (const file of Object.keys(manifest.checksums).filter((name) => name.startsWith('golden/'))) {
    await folder.edit(file, (golden: GoldenFile) => {
      golden.cases.splice(1);
      for (const { expected } of golden.cases) for (const outcome of Object.keys(expected)) expected[outcome] = 0.5;
    });
  }
  await folder.seal();
  return folder;
}
