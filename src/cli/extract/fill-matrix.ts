import type { FileHandle } from 'node:fs/promises';
import type { ExtractOptions } from './extract-options.ts';
import { openEventLabels } from './labelled-rows.ts';
import { matrixColumns } from './matrix-columns.ts';
import type { MatrixImages } from './matrix-images.ts';
import { matrixRows } from './matrix-rows.ts';
import { createMatrixTally, type MatrixTally } from './matrix-tally.ts';
import type { Extraction } from './open-extraction.ts';
import { rowRequests } from './row-requests.ts';
import { rowsAtOnce } from './rows-at-once.ts';

/** Where a matrix goes; neither has its name yet. */
export interface MatrixTarget {
  readonly handle: FileHandle;
  readonly images: MatrixImages;
}

/**
 * Writes a whole matrix. @returns what came of its rows
 * Throws what concerns all rows, what the cohort throws, the reason of the signal, and what the file throws.
 */
export async function fillMatrix(
  { handle, images }: MatrixTarget,
  { parts: given, cohorts, draft }: Extraction,
  { model: wanted, cohort, time, labelEvent, openWriter }: ExtractOptions,
  signal: AbortSignal,
): Promise<MatrixTally> {
  signal.throwIfAborted();
  const model = 'draft' in wanted ? await draft(wanted.draft) : given.findModel(wanted.id, wanted.version);
  const parts = { ...given, sliceSize: rowsAtOnce(model, given.sliceSize) };
  const label = labelEvent === undefined ? undefined : await openEventLabels(labelEvent, parts);
  const columns = matrixColumns(model, label !== undefined);
  if (!('list' in cohort)) await cohorts.check(cohort);
  await images.begin(model);
  const writer = openWriter(handle, columns);
  const tally = createMatrixTally();
  const asked = { ...parts, cohorts, now: () => parts.clock.now() };
  const made = matrixRows(parts, model, rowRequests(asked, { cohort, time }, signal), signal);
  for await (const facts of label === undefined ? made : label(made, signal)) {
    const row = await images.add(facts);
    tally.add(row);
    await writer.write(columns.map((column) => column.read(row)));
  }
  await writer.end();
  return tally;
}
