import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Picture } from '../../imaging/preprocess/encode-png.ts';
import { inputTensors } from '../../model-catalog/model-tensors.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { RowFacts } from './matrix-columns.ts';
import type { MatrixModel } from './matrix-rows.ts';
import { type NpyFile, openNpyFile } from './npy-file.ts';

/** The images of a matrix: a folder beside it that has its name only when it is whole. */
export interface MatrixImages {
  /**
   * Opens an array for each image that the model reads; none, and no folder, where it reads none.
   * Throws PARAMETER_INVALID for a folder that exists, without `force`, or that holds anything else.
   */
  begin(model: Pick<MatrixModel, 'manifest'>): Promise<void>;
  /** Writes what the model would be given of a row, and what a reader sees of it. @returns the row with its place in each array */
  add(row: RowFacts): Promise<RowFacts>;
  /** Puts what was written in place. */
  commit(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

interface ImageArray {
  readonly feature: string;
  /** Which cell of a model row it is. */
  readonly cell: number;
  readonly file: NpyFile;
}

/**
 * `features.csv` has its images in `features.csv.images`: for each feature `<feature>.npy` (rows × shape, float32) and, for row 7 of it,
 * `<feature>-7.png`. Written row by row: no more than one row is held. Readable for its owner alone, for pixels are data of patients.
 * @param png see `PixelWorkers.png`
 */
export function createMatrixImages(
  out: string,
  force: boolean,
  png: (picture: Picture) => Promise<Uint8Array>,
): MatrixImages {
  const target = `${path.resolve(out)}.images`;
  const draft = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.partial`);
  const arrays: ImageArray[] = [];

  const refuseExisting = async (): Promise<void> => {
    if (!existsSync(target)) return;
    if (!force) throw invalid(`${target} exists. Name another --out, or replace it with --force.`);
    const other = (await readdir(target)).find((name) => !/\.(npy|png)$/.test(name));
    if (other !== undefined)
      throw invalid(`${target} holds ${other}, which is no image of a matrix: it is not replaced.`);
  };
  return {
    async begin({ manifest }) {
      const images = inputTensors(manifest).flatMap(({ columns, image, shape }, index, all) => {
        const cell = all.slice(0, index).reduce((sum, before) => sum + before.columns.length, 0);
        return image === undefined || columns.length !== 1 ? [] : [{ feature: image, cell, shape: shape ?? [] }];
      });
      if (images.length === 0) return;
      await refuseExisting();
      await mkdir(draft, { mode: 0o700 });
      for (const { feature, cell, shape } of images) {
        if (arrays.some((array) => array.feature === feature)) continue;
        arrays.push({ feature, cell, file: await openNpyFile(path.join(draft, `${feature}.npy`), shape) });
      }
    },
    async add(row) {
      if (arrays.length === 0 || row.x === undefined) return row;
      const imageRows = new Map<string, number>();
      for (const { feature, cell, file } of arrays) {
        const tensor = row.x[cell];
        const value = row.inputs?.features.get(feature);
        const image = value?.state === 'observed' ? value.image : undefined;
        if (!(tensor instanceof Float32Array) || image === undefined) continue;
        const at = await file.append(tensor);
        await writeFile(path.join(draft, `${feature}-${at}.png`), await png(image.preview), {
          flag: 'wx',
          mode: 0o600,
        });
        imageRows.set(feature, at);
      }
      return { ...row, imageRows };
    },
    async commit() {
      if (arrays.length === 0) return;
      for (const { file } of arrays) await file.end();
      await refuseExisting();
      await rm(target, { recursive: true, force: true });
      await rename(draft, target);
    },
    async discard() {
      for (const { file } of arrays) await file.abandon().catch(() => undefined); // one that is whole is closed
      await rm(draft, { recursive: true, force: true });
    },
  };
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message);
}
