import { beforeAll, describe, expect, it } from 'vitest';
import { fileRows } from '../../src/cli/evaluate/file-rows.ts';
import type { TableFile } from '../../src/cli/evaluate/table-file.ts';
import { matrixColumns } from '../../src/cli/extract/matrix-columns.ts';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { featureTable } from '../../src/model-catalog/feature-table.ts';
import { checkDirectionNames } from '../../src/model-catalog/lint/check-direction-names.ts';
import type { ModelVersion } from '../../src/model-catalog/model-version.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { chessboard, imageModelFolder } from '../support/image-model.ts';

let version: ModelVersion;
beforeAll(async () => {
  await using folder = await imageModelFolder();
  version = await readModelFolder(folder.dir);
});

describe('an image among the inputs of a model', () => {
  it('fills no cell of a matrix with its numbers, and leaves the others their names', () => {
    const columns = matrixColumns({ ...version, compiled: compileFeatureMap(version.featureMap) });
    expect(columns.map(({ name }) => name).filter((name) => name.startsWith('x.'))).toEqual(['x.0.frontal', 'x.1.age']);
    const age = columns.find(({ name }) => name === 'x.1.age');
    expect(age?.read({ subject: 'one', x: [chessboard, 63] })).toBe(63);
    const frontal = columns.find(({ name }) => name === 'x.0.frontal');
    expect(frontal?.read({ subject: 'one', x: [chessboard, 63] })).toBeUndefined();
    expect(columns.find(({ name }) => name === 'frontal')?.type).toBe('whole-number');
  });

  it('is refused of a table of rows, which cannot hold it', () => {
    const table: TableFile = {
      name: 'rows.csv',
      columns: ['x.1.age', 'event'],
      records: (async function* () {})(),
      sha256: () => '',
    };
    const [outcome] = version.manifest.outcomes;
    if (outcome === undefined) throw new Error('the model has no outcome');
    expect(() => fileRows(table, version, outcome, { column: 'event', groups: undefined })).toThrow(
      '--file rows.csv cannot hold frontal, an image that pce-2013@1.0.0 takes',
    );
  });

  it('has no direction', () => {
    const manifest = { ...version.manifest, directions: { frontal: 'rises' as const } };
    expect(checkDirectionNames({ manifest, featureMap: version.featureMap, golden: [] })).toEqual([
      {
        file: 'manifest.json',
        path: '/directions/frontal',
        message: 'is an image, which neither rises nor falls; remove it',
      },
    ]);
  });

  it('stands in the table of features with its shape', () => {
    expect(featureTable(version.featureMap)).toContain('an image as [1, 8, 8] numbers');
  });
});
