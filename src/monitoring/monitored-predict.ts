import type { Clock } from '../platform/clock.ts';
import type { Database, Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { LogEvent } from '../platform/events.ts';
import { createGroupWriter, type GroupWriter } from '../platform/group-writer.ts';
import type { ValuesCipher } from '../platform/values-cipher.ts';
import type { NamedModel, PredictionOutcome } from '../prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../prediction/prediction-request.ts';
import { type KeptPrediction, keepRows } from './keep-rows.ts';
import { type PredictionRow, rowOfFailure, rowOfOutcome } from './prediction-row.ts';
import { sealValues } from './prediction-values.ts';

/** Keeps account of every prediction. */
export interface Monitoring {
  /**
   * Runs `predict`, keeps its row and then gives its outcome: a prediction that nobody can account for is not given.
   * Throws what `predict` throws, whose row is kept too; or the database's error where the row of an outcome cannot be
   * kept. What was written back stays written then, and the same call repeated finds it.
   */
  watched(
    predict: (request: PredictionRequest) => Promise<PredictionOutcome>,
    request: PredictionRequest,
  ): Promise<PredictionOutcome>;
  /**
   * Looks up what stands of a subject, as a prediction reads it: where that fails, its row is kept as that of a prediction is, and
   * the reading is stopped with theirs. Throws what `find` throws.
   */
  lookedUp<Found>(find: (request: PredictionRequest) => Promise<Found>, request: PredictionRequest): Promise<Found>;
  /**
   * Stops the reading of every prediction under way, late ones included; resolves when they have ended and their rows are
   * kept. Members of runs are stopped by their run.
   */
  close(): Promise<void>;
}

export interface MonitoringOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly tenant: string;
  readonly newId: () => string;
  /** Seals the values that are kept; absent: none are. */
  readonly cipher?: ValuesCipher;
  /** The loaded version that a call names, or undefined. */
  readonly findModel: (id: string, version?: string) => NamedModel | undefined;
  /** The base that names subjects of calls without an origin. */
  readonly subjectBase: string;
  /** The base that names subjects of a server in results, however the call spells it. */
  readonly subjectBaseOf: (base: string) => Promise<string>;
  /** Told of every prediction, also where its row could not be kept. */
  readonly onPrediction: (row: PredictionRow, outcome: PredictionOutcome | undefined) => void;
  readonly event: (event: LogEvent) => void;
}

/** Rows of one statement: what is asked at once becomes one group, and no statement holds the database for long. */
const rowsPerGroup = 500;

export function createMonitoring(options: MonitoringOptions): Monitoring {
  const { database, clock, tenant, newId, findModel, onPrediction, event, cipher } = options;
  // The rows of runs, and of shadows, go by themselves, behind all others.
  const writers = { others: rowWriter(database, false), runs: rowWriter(database.background, true) };
  const keep = (kept: KeptPrediction): Promise<undefined> =>
    (kept.row.entrance === 'cohort' || kept.row.shadow ? writers.runs : writers.others).write(kept);
  const frame = (startedMs: number) => ({
    id: newId(),
    tenant,
    recorded: clock.now(),
    totalMs: performance.now() - startedMs,
  });

  const closing = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  const rowOfFailed = async (startedMs: number, request: PredictionRequest, error: unknown): Promise<PredictionRow> => {
    const asked = findModel(request.model, request.version);
    const fhirBase = await baseOf(request, options);
    return rowOfFailure(frame(startedMs), request, { error, fhirBase, ...(asked && { asked }) });
  };
  // No number was given; the caller learns why, which says more than that the row is missing.
  const keepFailed = (row: PredictionRow): Promise<undefined> =>
    keep({ row }).catch((failure: unknown) => {
      event({ name: 'prediction-log.failed', error: failure });
      return undefined;
    });
  const accounted: Monitoring['watched'] = async (predict, request) => {
    const startedMs = performance.now();
    let outcome: PredictionOutcome;
    try {
      outcome = await predict(stoppedBy(closing.signal, request));
    } catch (error) {
      const row = await rowOfFailed(startedMs, request, error);
      onPrediction(row, undefined);
      await keepFailed(row);
      throw error;
    }
    const framed = frame(startedMs);
    const row = rowOfOutcome(framed, request, outcome);
    onPrediction(row, outcome);
    try {
      await keep({ row, ...(cipher && { values: sealValues(cipher, framed, outcome) }) });
    } catch (failure) {
      // Of a late prediction nobody hears the error that is thrown.
      event({ name: 'prediction-log.failed', error: failure });
      throw failure;
    }
    return outcome;
  };

  const tracked = <Value>(running: Promise<Value>): Promise<Value> => {
    underWay.add(running);
    const ended = () => underWay.delete(running);
    running.then(ended, ended);
    return running;
  };
  const found: Monitoring['lookedUp'] = async (find, request) => {
    const startedMs = performance.now();
    try {
      return await find(stoppedBy(closing.signal, request));
    } catch (error) {
      await keepFailed(await rowOfFailed(startedMs, request, error));
      throw error;
    }
  };

  return {
    watched: (predict, request) => tracked(accounted(predict, request)),
    lookedUp: (find, request) => tracked(found(find, request)),
    async close() {
      closing.abort(new PredictionError('SHUTTING_DOWN', 'The server is closing; the record is not read any further.'));
      await Promise.allSettled(underWay);
      await Promise.all([writers.others.close(), writers.runs.close()]);
    },
  };
}

function rowWriter(sql: Sql, gathers: boolean): GroupWriter<KeptPrediction, undefined> {
  return createGroupWriter(
    async (rows) => {
      await keepRows(sql, rows);
      return rows.map(() => ({ receipt: undefined }));
    },
    { maxItems: rowsPerGroup, gathers },
  );
}

/** Where something is read that can be stopped; a run stops its own members, and has so many that each costs. */
function stoppedBy(closing: AbortSignal, request: PredictionRequest): PredictionRequest {
  const { entrance, origin, signal } = request;
  if (entrance === 'cohort' || origin?.from === 'caller') return request;
  return { ...request, signal: signal === undefined ? closing : AbortSignal.any([signal, closing]) };
}

/**
 * As the row of a result names it, so that a search finds both; of a server that may not be asked its origin alone, though a
 * result from what the call holds has the whole base: what failed may have failed for what the path holds.
 */
async function baseOf(
  { origin }: PredictionRequest,
  { subjectBase, subjectBaseOf }: Pick<MonitoringOptions, 'subjectBase' | 'subjectBaseOf'>,
): Promise<string> {
  if (origin === undefined) return subjectBase;
  return origin.from === 'server' ? await subjectBaseOf(origin.base) : 'urn:fhirsight:caller';
}
