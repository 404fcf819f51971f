import { setImmediate } from 'node:timers/promises';
import type { ModelRow } from '../model-catalog/model-row.ts';
import type { PredictionError } from '../platform/errors.ts';
import type { EngineModel } from './inference-engine.ts';
import { rowFaultInTurns } from './row-tensors.ts';

/** Numbers that are looked at in one turn of the event loop: about a millisecond. */
export const numbersInTurn = 500_000;

/**
 * As `rowsFault`, of rows that hold images: after some of them others get a turn, so that a call of many rows keeps nobody
 * waiting, nor does a volume. The rows may not be changed meanwhile.
 */
export async function imageRowsFault(
  model: Pick<EngineModel, 'key' | 'inputs'>,
  rows: readonly ModelRow[],
): Promise<PredictionError | undefined> {
  const numbers = model.inputs.reduce((sum, { columns }) => sum + columns, 0);
  const rowsInTurn = Math.max(1, Math.floor(numbersInTurn / numbers));
  for (const [index, row] of rows.entries()) {
    if (index > 0 && index % rowsInTurn === 0) await setImmediate();
    const fault = await rowFaultInTurns(model, row, index);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
