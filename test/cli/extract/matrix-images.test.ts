import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { matrixColumns, type RowFacts } from '../../../src/cli/extract/matrix-columns.ts';
import { createMatrixImages, type MatrixImages } from '../../../src/cli/extract/matrix-images.ts';
import { rowsAtOnce } from '../../../src/cli/extract/rows-at-once.ts';
import { encodePng } from '../../../src/imaging/preprocess/encode-png.ts';
import type { Manifest } from '../../../src/model-catalog/manifest-schema.ts';
import { readNpy } from '../../imaging/support/read-npy.ts';
import { readImage } from '../../support/image-map.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-images-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A model of a number and an image of two by two. */
const manifest = {
  id: 'of-images',
  version: '1.0.0',
  outcomes: [],
  tensors: {
    inputs: [
      { name: 'labs', type: 'float32', columns: [{ feature: 'age' }] },
      { name: 'pixels', type: 'float32', shape: [2, 2], image: 'chest' },
    ],
  },
} as unknown as Manifest;

function rowOf(numbers: readonly number[]): RowFacts {
  const value = readImage(numbers);
  const features = new Map([['chest', value]]);
  return { subject: 'a', inputs: { features, verdicts: new Map(), basis: [] }, x: [61, value.image?.tensor ?? 0] };
}

const imagesOf = (force = false, out = 'features.csv'): MatrixImages =>
  createMatrixImages(path.join(folder, out), force, async (picture) => encodePng(picture));
const inside = (...name: string[]) => path.join(folder, 'features.csv.images', ...name);

describe('the images of a training matrix', () => {
  it('are one array of all rows that the model would be given, and a picture of each', async () => {
    const images = imagesOf();
    await images.begin({ manifest });
    const rows = [rowOf([0, 0.25, 0.5, 1]), { subject: 'b' }, rowOf([1, 1, 0, 0])];
    const written: RowFacts[] = [];
    for (const row of rows) written.push(await images.add(row));
    await images.commit();
    const columns = matrixColumns({ manifest, digest: 'd', compiled: { features: new Map() } as never });
    const column = columns.find(({ name }) => name === 'x.1.chest');
    expect(written.map((row) => column?.read(row))).toEqual([0, undefined, 1]);
    const { shape, data } = readNpy(readFileSync(inside('chest.npy')));
    expect(shape).toEqual([2, 2, 2]);
    expect([...data]).toEqual([0, 0.25, 0.5, 1, 1, 1, 0, 0]);
    expect(readdirSync(inside()).sort()).toEqual(['chest-0.png', 'chest-1.png', 'chest.npy']);
    expect([...decode(readFileSync(inside('chest-1.png'))).data]).toEqual([255, 255, 0, 0]);
  });

  it('can be read by nobody but their owner, and stand there only when they are whole', async () => {
    const images = imagesOf();
    await images.begin({ manifest });
    await images.add(rowOf([0, 0, 0, 1]));
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.features\.csv\.images\.\d+\.partial$/)]);
    await images.commit();
    expect(readdirSync(folder)).toEqual(['features.csv.images']);
    expect(statSync(inside()).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(inside())) expect(statSync(inside(name)).mode & 0o777).toBe(0o600);
  });

  it('of a matrix in one format are never those of one in another', async () => {
    for (const out of ['features.csv', 'features.parquet']) {
      const images = imagesOf(true, out);
      await images.begin({ manifest });
      await images.commit();
    }
    expect(readdirSync(folder).sort()).toEqual(['features.csv.images', 'features.parquet.images']);
  });

  it('leave nothing where the matrix fails', async () => {
    const images = imagesOf();
    await images.begin({ manifest });
    await images.add(rowOf([0, 0, 0, 1]));
    await images.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('replace those of another time where that is asked for, and never what is no image of a matrix', async () => {
    for (const force of [false, true]) {
      const images = imagesOf(force);
      await images.begin({ manifest });
      await images.add(rowOf([force ? 1 : 0, 0, 0, 0]));
      await images.commit();
    }
    expect(readNpy(readFileSync(inside('chest.npy'))).data[0]).toBe(1);
    await expect(imagesOf().begin({ manifest })).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
    writeFileSync(inside('thesis.docx'), '');
    await expect(imagesOf(true).begin({ manifest })).rejects.toThrow(/thesis\.docx.*not replaced/);
  });

  it('need no folder where the model reads none', async () => {
    const images = imagesOf();
    await images.begin({ manifest: { ...manifest, tensors: { input: manifest.tensors.inputs?.[0] } } });
    expect(await images.add({ subject: 'a', x: [61] })).toEqual({ subject: 'a', x: [61] });
    await images.commit();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('bound how many rows are under way at once', () => {
    const large = {
      ...manifest,
      tensors: { input: { name: 'v', type: 'float32', shape: [256, 256, 256], image: 'v' } },
    };
    expect(rowsAtOnce({ manifest: large as never }, 48)).toBe(1);
    expect(rowsAtOnce({ manifest }, 48)).toBe(48);
  });
});
