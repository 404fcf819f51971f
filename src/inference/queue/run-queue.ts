import type { InferenceLane, RunOptions } from '../../model-catalog/run-options.ts';
import type { Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ModelSession } from '../model-session.ts';
import { joinRows, sliceRows } from './join-rows.ts';
import type { RunCost } from './run-cost.ts';
import { type WaitingCall, WaitingCalls } from './waiting-calls.ts';

export interface QueueOptions {
  /** `id@version`, for messages. */
  readonly key: string;
  readonly cost: RunCost;
  /** Rows of one joint run at most; absent: rows never run together. */
  readonly joint?: { readonly mostRows: number; readonly padTo: number };
  /** Failures of a joint run that say nothing about its rows: its calls fail together, and none is tried alone. */
  readonly sharesFate?: (error: unknown) => boolean;
}

/** What a call asks for. */
export interface QueuedRun {
  readonly feeds: Tensors;
  readonly wanted: readonly string[];
  /** How many rows the first dimension of every feed has. */
  readonly rows: number;
  /** Calls of one kind can run together: the same names, types and sizes but for the rows. undefined: it runs as it is, by itself. */
  readonly kind: string | undefined;
}

export interface RunQueue {
  /** Throws what the session throws, OVERLOADED, DEADLINE_EXCEEDED, MODEL_NOT_READY. */
  run(asked: QueuedRun, options?: RunOptions): Promise<Tensors>;
  /** Takes no more; resolves when the last run has ended. */
  close(): Promise<void>;
}

/** Calls of one lane that may wait at once. */
const mostWaiting = 1024;
/** Nobody is let in who would wait longer, in milliseconds. */
const longestWaitMs = 10_000;

/**
 * Lets calls run together, one joint run at a time: when the model is idle, on the next tick, with all that came until then;
 * when it is busy, as soon as it is idle. No timer, and no delay for one that is alone. Interactive calls go first.
 */
export function createRunQueue(session: ModelSession, options: QueueOptions): RunQueue {
  const { key, cost, joint, sharesFate = () => false } = options;
  const waiting = new WaitingCalls((signal) => givenUp(key, signal));
  let running: Promise<void> | undefined;
  let busyUntilMs = 0;
  let closed = false;

  const runAll = async (): Promise<void> => {
    for (;;) {
      // All that is called in this turn comes along: those answered by the last run, too, may ask again.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      const calls = next();
      if (calls.length === 0) break;
      const rows = calls.reduce((sum, call) => sum + call.rows, 0);
      const started = performance.now();
      busyUntilMs = started + cost.expectedMs(rows);
      // What other outputs take tells nothing of those that were timed.
      if ((await runTogether(calls)) && calls[0]?.kind !== undefined) cost.took(rows, performance.now() - started);
    }
    running = undefined;
  };

  const next = (): WaitingCall[] => waiting.take(joint?.mostRows ?? 0);

  /** Never rejects. False where it failed. A joint run that fails is taken apart, so that one that cannot be run fails alone. */
  const runTogether = async (calls: readonly WaitingCall[]): Promise<boolean> => {
    const [first] = calls;
    if (first === undefined) return false;
    const rows = calls.reduce((sum, call) => sum + call.rows, 0);
    try {
      const outputs =
        first.kind === undefined
          ? await session.run(first.feeds, first.wanted)
          : await runPadded(
              calls.map(({ feeds }) => feeds),
              first.wanted,
              rows,
            );
      let from = 0;
      for (const call of calls) {
        call.resolve(calls.length === 1 ? outputs : sliceRows(outputs, from, from + call.rows));
        from += call.rows;
      }
      return true;
    } catch (error) {
      if (calls.length === 1 || sharesFate(error)) for (const call of calls) call.reject(error);
      else for (const call of calls) if (!call.isSettled) await runTogether([call]);
      return false;
    }
  };

  const runPadded = async (parts: readonly Tensors[], wanted: readonly string[], rows: number): Promise<Tensors> => {
    const [only] = parts;
    if (joint === undefined && only !== undefined) return await session.run(only, wanted);
    const { padTo } = joint ?? { padTo: 1 };
    const padded = Math.ceil(rows / padTo) * padTo;
    const feeds = parts.length === 1 && padded === rows && only !== undefined ? only : joinRows(parts, padded);
    const outputs = await session.run(feeds, wanted);
    for (const [name, { dims }] of outputs) {
      if (dims[0] !== padded)
        throw new PredictionError(
          'INFERENCE_FAILED',
          `${key}: output ${name} has ${dims[0] ?? 'no'} rows for ${padded} that were asked; nobody can tell whose they are.`,
        );
    }
    return padded === rows ? outputs : sliceRows(outputs, 0, rows);
  };

  const admit = (rows: number, lane: InferenceLane, answerBy: number | undefined): void => {
    const ahead = waiting.rowsAhead(lane);
    if (running === undefined && ahead === 0) return;
    const now = performance.now();
    const waitMs = Math.max(busyUntilMs - now, 0) + (ahead === 0 ? 0 : expectedMsOf(ahead));
    const doneMs = now + waitMs + cost.expectedMs(rows);
    const full = waiting.count(lane) >= mostWaiting;
    const late = answerBy !== undefined && doneMs > answerBy;
    if (!full && !late && (lane === 'batch' || waitMs <= longestWaitMs)) return;
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
    throw new PredictionError(
      'OVERLOADED',
      `${key} has more to do than it can answer in time; the wait would be about ${Math.ceil(waitMs)} ms. Try again in ${retryAfterSeconds} s.`,
      { retryAfterSeconds },
    );
  };

  /** How long rows take in as many joint runs as they need. */
  const expectedMsOf = (rows: number): number => {
    const most = joint?.mostRows ?? 1;
    const whole = Math.floor(rows / most);
    return whole * cost.expectedMs(most) + (rows % most === 0 ? 0 : cost.expectedMs(rows % most));
  };

  const runOnce = (asked: QueuedRun, { lane = 'interactive', answerBy, signal }: RunOptions): Promise<Tensors> => {
    if (closed) return Promise.reject(new PredictionError('MODEL_NOT_READY', `${key} was released; it runs no more.`));
    if (signal?.aborted === true) return Promise.reject(givenUp(key, signal));
    return new Promise((resolve, reject) => {
      admit(asked.rows, lane, answerBy);
      waiting.add(lane, asked, { resolve, reject }, signal);
      running ??= runAll();
    });
  };

  return {
    async run(asked, runOptions = {}) {
      if (joint === undefined || asked.kind === undefined || asked.rows <= joint.mostRows)
        return await runOnce(asked, runOptions);
      // In parts, so that others get their turn between them.
      const parts: Tensors[] = [];
      for (let from = 0; from < asked.rows; from += joint.mostRows) {
        const to = Math.min(from + joint.mostRows, asked.rows);
        const part = { ...asked, rows: to - from, feeds: sliceRows(asked.feeds, from, to) };
        parts.push(await runOnce(part, runOptions));
      }
      return joinRows(parts, asked.rows);
    },
    async close() {
      closed = true;
      await running;
    },
  };
}

/** Why a call was given up: what its signal says, or that it took too long. */
function givenUp(key: string, { reason }: AbortSignal): PredictionError {
  if (reason instanceof PredictionError) return reason;
  const message = `${key} did not answer in the time that the call had; its result, if one comes, is dropped.`;
  return new PredictionError('DEADLINE_EXCEEDED', message, { issues: [{ code: 'timeout', message }] });
}
