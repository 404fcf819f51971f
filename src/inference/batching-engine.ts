import { PredictionError } from '../platform/errors.ts';
import type { InferenceEngine, LoadedModel } from './inference-engine.ts';

/** Rows of one joint run at most; a call with more runs by itself. */
const maxRows = 256;

interface WaitingCall {
  readonly rows: readonly (readonly number[])[];
  resolve(outputs: number[][]): void;
  reject(error: unknown): void;
}

/**
 * An engine whose models run the rows of concurrent callers together. A call that finds the model idle runs at once; those
 * that come while it runs wait for its end and then go together: no timer, and no delay for one that is alone. By the
 * contract of LoadedModel a row gives the same bits in any company.
 */
export function createBatchingEngine(engine: InferenceEngine): InferenceEngine {
  const underWay = new Set<Promise<void>>();
  let closing: Promise<void> | undefined;
  return {
    async load(model) {
      if (closing !== undefined) throw new PredictionError('SHUTTING_DOWN', 'The inference engine is closed.');
      return batchingModel(model.key, await engine.load(model), underWay);
    },
    close() {
      closing ??= Promise.all(underWay).then(() => engine.close());
      return closing;
    },
  };
}

function batchingModel(key: string, model: LoadedModel, underWay: Set<Promise<void>>): LoadedModel {
  let waiting: WaitingCall[] = [];
  let running: Promise<void> | undefined;
  let released: Promise<void> | undefined;

  const runAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const count = fitting(waiting);
      const calls = waiting.slice(0, count);
      waiting = waiting.slice(count);
      await runTogether(model, calls);
    }
    running = undefined;
  };

  return {
    run(rows) {
      if (released !== undefined) {
        return Promise.reject(new PredictionError('MODEL_NOT_READY', `${key} was released; it runs no more.`));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ rows, resolve, reject });
        if (running !== undefined) return;
        const begun = runAll();
        running = begun;
        underWay.add(begun);
        begun.then(() => underWay.delete(begun));
      });
    },
    release() {
      released ??= Promise.resolve(running).then(() => model.release());
      return released;
    },
  };
}

/** How many of the calls fit into one run: at least the first. */
function fitting(calls: readonly WaitingCall[]): number {
  let rows = 0;
  for (const [index, call] of calls.entries()) {
    rows += call.rows.length;
    if (rows > maxRows) return Math.max(index, 1);
  }
  return calls.length;
}

/** Never rejects. Where a joint run fails each call runs by itself, so that one that cannot be run fails alone. */
async function runTogether(model: LoadedModel, calls: readonly WaitingCall[]): Promise<void> {
  const outputs = calls.length === 1 ? undefined : await jointOutputs(model, calls);
  if (outputs === undefined) {
    for (const { rows, resolve, reject } of calls) await model.run(rows).then(resolve, reject);
    return;
  }
  let from = 0;
  for (const { rows, resolve } of calls) {
    resolve(outputs.slice(from, from + rows.length));
    from += rows.length;
  }
}

/** One output for each row of the calls, in their order; undefined where the run failed, which the lone runs tell why. */
async function jointOutputs(model: LoadedModel, calls: readonly WaitingCall[]): Promise<number[][] | undefined> {
  const rows = calls.flatMap((call) => call.rows);
  try {
    const outputs = await model.run(rows);
    return outputs.length === rows.length ? outputs : undefined;
  } catch {
    return undefined;
  }
}
