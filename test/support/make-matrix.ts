import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { draftModel } from '../../src/cli/extract/draft-model.ts';
import { parseExtractOptions } from '../../src/cli/extract/extract-options.ts';
import { fillMatrix } from '../../src/cli/extract/fill-matrix.ts';
import { openMatrixFile } from '../../src/cli/extract/matrix-file.ts';
import { createMatrixImages } from '../../src/cli/extract/matrix-images.ts';
import type { RowParts } from '../../src/cli/extract/matrix-rows.ts';
import type { MatrixTally } from '../../src/cli/extract/matrix-tally.ts';
import { encodePng } from '../../src/imaging/preprocess/encode-png.ts';
import { readConfig } from '../../src/platform/config.ts';
import type { House } from '../../src/wire.ts';
import { storeCohorts } from '../../src/wire-runs.ts';

export type MatrixRow = Readonly<Record<string, string>>;

export interface MadeMatrix {
  readonly tally: MatrixTally;
  /** Of a CSV file, every cell as its text. */
  readonly rows: MatrixRow[];
  /** Of a Parquet file, as the library reads them. */
  readonly objects: Record<string, unknown>[];
}

/** `fhirsight extract` on the open parts of a server; `--out` is added. Leaves no file behind. */
export async function makeMatrix(
  house: House,
  args: readonly string[],
  format: 'csv' | 'parquet' = 'csv',
  changed: Partial<RowParts> = {},
): Promise<MadeMatrix> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-matrix-'));
  try {
    const out = path.join(folder, `matrix.${format}`);
    const { timeZone } = house.prediction;
    const options = await parseExtractOptions([...args, '--out', out], () => timeZone);
    const file = await openMatrixFile(out, false);
    const images = createMatrixImages(out, false, async (picture) => encodePng(picture));
    const extraction = {
      parts: { ...house.prediction, sliceSize: 8, rowTimeoutMs: 30_000, ...changed },
      cohorts: storeCohorts({ siteTimeZone: timeZone }, house),
      draft: (folder: string) => draftModel(folder, readConfig({}), house.prediction.findModel),
    };
    const tally = await fillMatrix(
      { handle: file.handle, images },
      extraction,
      options,
      new AbortController().signal,
    ).catch(async (error: unknown) => {
      await images.discard();
      await file.discard();
      throw error;
    });
    await images.commit();
    await file.commit();
    return {
      tally,
      rows: format === 'csv' ? csvRows(await readFile(out, 'utf8')) : [],
      objects: format === 'parquet' ? await readParquet(out) : [],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function readParquet(file: string): Promise<Record<string, unknown>[]> {
  return await parquetReadObjects({ file: await asyncBufferFromFile(file) });
}

/** Reads CSV by RFC 4180, every line behind the head as an object. */
export function csvRows(text: string): MatrixRow[] {
  const lines = csvLines(text);
  const head = lines[0] ?? [];
  return lines.slice(1).map((cells) => {
    if (cells.length !== head.length) throw new Error(`a line has ${cells.length} cells under ${head.length} headings`);
    return Object.fromEntries(head.map((name, index) => [name, cells[index] ?? '']));
  });
}

function csvLines(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (end === '' && line.length === 0 && plain === '' && quoted === undefined) break;
    line.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    lines.push(line);
    line = [];
  }
  return lines;
}
