import { setImmediate as turn } from 'node:timers/promises';
import { guessedFeatures } from '../../features/todays-status.ts';
import { inputRow } from '../../inference/score.ts';
import { inputColumns } from '../../model-catalog/model-tensors.ts';
import type { Clock } from '../../platform/clock.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import { type InputParts, readModelInputs } from '../../prediction/model-inputs.ts';
import type { PredictableModel, PredictionParts } from '../../prediction/prediction-parts.ts';
import { refuseFuture } from '../../prediction/refuse-future.ts';
import { withRecordsOf } from '../../prediction/with-records-of.ts';
import { failedMember } from '../../runs/member-result.ts';
import { concernsAll } from '../../runs/work-slice.ts';
import type { RowRequest } from './anchor-rows.ts';
import type { RowFacts } from './matrix-columns.ts';
import { slicesOf } from './row-requests.ts';

export interface RowParts extends InputParts, Pick<PredictionParts, 'findModel'> {
  readonly clock: Clock;
  /** Rows under way at once; one more slice may be while the one before is written. */
  readonly sliceSize: number;
  /** How long the records of the rows that are under way at once may take. */
  readonly rowTimeoutMs: number;
  event(event: LogEvent): void;
}

/** What rows are made by: a model that is loaded, or one that is still to be trained. */
export type MatrixModel = Pick<
  PredictableModel,
  'manifest' | 'digest' | 'compiled' | 'uses' | 'readByUsed' | 'queriesAt'
>;

/**
 * The rows of a matrix in the order of the requests, each by the first two steps of the path and nothing else. Two slices
 * are under way at most, however slowly they are taken. A row whose record cannot be read is a row with an error.
 * Throws what concerns them all (`concernsAll`), and the reason of the signal.
 */
export async function* matrixRows(
  parts: RowParts,
  model: MatrixModel,
  requests: AsyncIterable<RowRequest>,
  signal: AbortSignal,
): AsyncGenerator<RowFacts> {
  let before: Promise<RowFacts[]> | undefined;
  try {
    for await (const slice of slicesOf(requests, parts.sliceSize)) {
      signal.throwIfAborted();
      const rows = rowsOf(parts, model, slice, signal);
      rows.catch(() => undefined); // waited for below
      if (before !== undefined) yield* await before;
      before = rows;
    }
    if (before !== undefined) yield* await before;
    before = undefined;
  } finally {
    // Nothing goes on behind whoever stopped asking.
    await before?.catch(() => undefined);
  }
}

async function rowsOf(
  parts: RowParts,
  model: MatrixModel,
  slice: readonly RowRequest[],
  signal: AbortSignal,
): Promise<RowFacts[]> {
  const held = await recordsOf(parts, model, slice);
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(parts.rowTimeoutMs)]);
  const underWay: Promise<RowFacts>[] = [];
  for (const request of slice) {
    await turn();
    const from = (request.encounter === undefined && held.get(request.asOf?.getTime())) || parts;
    underWay.push(rowOf(from, model, request, inTime));
  }
  const ended = await Promise.allSettled(underWay);
  signal.throwIfAborted();
  return ended.map((row) => {
    if (row.status === 'rejected') throw row.reason;
    return row.value;
  });
}

/** The records of rows that share an as-of, read at once where the source can; by as-of. */
async function recordsOf(
  parts: RowParts,
  { queriesAt }: MatrixModel,
  slice: readonly RowRequest[],
): Promise<ReadonlyMap<number | undefined, RowParts>> {
  const held = new Map<number | undefined, RowParts>();
  const plain = slice.filter(({ asOf, encounter, error }) => asOf && encounter === undefined && error === undefined);
  for (const [asOf = 0, rows] of Map.groupBy(plain, (row) => row.asOf?.getTime())) {
    if (rows.length < 2) continue;
    const subjects = rows.map(({ subject }) => subject);
    try {
      held.set(asOf, await withRecordsOf(parts, subjects, queriesAt(new Date(asOf))));
    } catch (error) {
      // Then each row asks for its own.
      if (!(error instanceof PredictionError && error.code === 'RECORD_UNREACHABLE')) throw error;
    }
  }
  return held;
}

async function rowOf(parts: RowParts, model: MatrixModel, request: RowRequest, signal: AbortSignal): Promise<RowFacts> {
  const { subject, asOf, encounter, error } = request;
  if (error !== undefined || asOf === undefined) return request;
  try {
    refuseFuture(asOf, parts.clock.now());
    const limits = { signal, givenUp: signal };
    const wanted = {
      subject,
      asOf,
      seed: [],
      inputs: [],
      ...limits,
      ...(encounter === undefined ? {} : { encounter }),
    };
    const { record, inputs, outputs } = await readModelInputs(parts, model, wanted);
    const { manifest, compiled } = model;
    const guessed = guessedFeatures(compiled, inputs.features, record, parts.timeZone, outputs).size;
    const mayScore = [...inputs.verdicts.values()].some(({ state }) => state === 'score');
    const x = mayScore ? inputRow(inputColumns(manifest), inputs.features) : undefined;
    return { ...request, inputs, guessed, ...(x === undefined ? {} : { x }) };
  } catch (cause) {
    if (concernsAll(cause)) throw cause;
    const { error: failure } = failedMember(0, cause);
    if (failure?.code === 'INTERNAL') parts.event({ name: 'error.unexpected', error: cause });
    return { ...request, ...(failure === undefined ? {} : { error: failure }) };
  }
}
