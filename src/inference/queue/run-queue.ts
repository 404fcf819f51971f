import type { InferenceLane, RunOptions } from '../../model-catalog/run-options.ts';
import type { Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ModelSession } from '../model-session.ts';
import type { RowForm } from './row-form.ts';
import type { RunCost } from './run-cost.ts';
import { WaitingCall, WaitingCalls } from './waiting-calls.ts';

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
export interface QueuedRun<Input = unknown, Answer = unknown> {
  /** Not to be changed before it is answered. */
  readonly input: Input;
  readonly form: RowForm<Input, Answer>;
  readonly wanted: readonly string[];
  readonly rows: number;
  /** Calls of one kind and form can run together: the same names, types and sizes but for the rows. undefined: it runs as it is, by itself. */
  readonly kind: string | undefined;
}

export interface RunQueue {
  /** Throws what the session throws, OVERLOADED, DEADLINE_EXCEEDED, MODEL_NOT_READY. */
  run<Input, Answer>(asked: QueuedRun<Input, Answer>, options?: RunOptions): Promise<Answer>;
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
      if (joint === undefined || first.kind === undefined) {
        first.answer(await runWith(first.form.join([first.input]), first.wanted));
        return true;
      }
      refuseChanged(calls);
      const padded = Math.ceil(rows / joint.padTo) * joint.padTo;
      const outputs = await runWith(joined(calls, first, padded), first.wanted);
      refuseOtherCount(outputs, padded);
      if (calls.length === 1 && padded === rows) first.answer(outputs);
      else answerAll(calls, outputs);
      return true;
    } catch (error) {
      if (calls.length === 1 || sharesFate(error)) for (const call of calls) call.reject(error);
      else for (const call of calls) if (!call.isSettled) await runTogether([call]);
      return false;
    }
  };

  // Small ones are at hand: a promise more costs as much as a row of a small model.
  const runWith = (feeds: Tensors | Promise<Tensors>, wanted: readonly string[]): Promise<Tensors> =>
    feeds instanceof Promise ? feeds.then((ready) => session.run(ready, wanted)) : session.run(feeds, wanted);

  /** A call that would be run as it is by itself is not copied. */
  const joined = (calls: readonly WaitingCall[], { form, input, rows }: WaitingCall, padded: number) =>
    calls.length === 1 && padded === rows
      ? form.join([input])
      : form.join(
          calls.map((call) => call.input),
          padded,
        );

  const answerAll = (calls: readonly WaitingCall[], outputs: Tensors): void => {
    let from = 0;
    for (const call of calls) {
      call.answer(outputs, from);
      from += call.rows;
    }
  };

  /** Rows that came or went since the call would move all that come after them into the rows of others. */
  const refuseChanged = (calls: readonly WaitingCall[]): void => {
    for (const { form, input, rows } of calls) {
      if (form.count(input) !== rows)
        throw new PredictionError('INFERENCE_FAILED', `${key}: the rows of a call were changed while it waited.`);
    }
  };

  const refuseOtherCount = (outputs: Tensors, rows: number): void => {
    for (const [name, { dims }] of outputs) {
      if (dims[0] !== rows)
        throw new PredictionError(
          'INFERENCE_FAILED',
          `${key}: output ${name} has ${dims[0] ?? 'no'} rows for ${rows} that were asked; nobody can tell whose they are.`,
        );
    }
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

  const runOnce = <Input, Answer>(asked: QueuedRun<Input, Answer>, runOptions: RunOptions): Promise<Answer> => {
    const { lane = 'interactive', answerBy, signal } = runOptions;
    if (closed) return Promise.reject(new PredictionError('MODEL_NOT_READY', `${key} was released; it runs no more.`));
    if (signal?.aborted === true) return Promise.reject(givenUp(key, signal));
    return new Promise((resolve, reject) => {
      admit(asked.rows, lane, answerBy);
      waiting.add(lane, new WaitingCall(asked, { resolve, reject }), signal);
      running ??= runAll();
    });
  };

  /** In parts, so that others get their turn between them. */
  const runInParts = async <Input, Answer>(
    asked: QueuedRun<Input, Answer>,
    mostRows: number,
    runOptions: RunOptions,
  ): Promise<Answer> => {
    const { form, input, rows } = asked;
    const parts: Answer[] = [];
    for (let from = 0; from < rows; from += mostRows) {
      const to = Math.min(from + mostRows, rows);
      parts.push(await runOnce({ ...asked, rows: to - from, input: form.slice(input, from, to) }, runOptions));
    }
    return form.merge(parts, rows);
  };

  return {
    run: (asked, runOptions = {}) =>
      joint === undefined || asked.kind === undefined || asked.rows <= joint.mostRows
        ? runOnce(asked, runOptions)
        : runInParts(asked, joint.mostRows, runOptions),
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
