import { PredictionError } from '../../platform/errors.ts';
import type { ModelSession } from '../model-session.ts';
import type { ApartSession } from './apart-host.ts';

export interface LastingOptions {
  readonly key: string;
  /** Opens the graph anew. `stuck`: what ran it before did not come back, so it must be where it can be killed. */
  open(stuck: boolean): Promise<ApartSession>;
  /** A run that takes longer, in milliseconds, will not end: what runs it is given up. */
  readonly stuckAfterMs: number;
  /** Told each time something is given up or lost. */
  lost(reason: string): void;
}

/**
 * A session that is opened again, at once, when what runs it crashed or hangs. A run that was lost in a crash is tried once
 * more, for it changes nothing; one that hangs is not, for it would hang again.
 */
export function lastingSession(first: ApartSession, options: LastingOptions): ModelSession {
  const { key, stuckAfterMs } = options;
  let current: Promise<ApartSession> = Promise.resolve(first);
  let stuck = false;
  let released: Promise<void> | undefined;

  const reopen = (failed: Promise<ApartSession>, error: PredictionError): void => {
    if (failed !== current || released !== undefined) return;
    options.lost(error.message);
    failed.then(
      (session) => session.abandon('is gone'),
      () => undefined, // there was none
    );
    current = options.open(stuck);
    // Whoever runs next hears of it; that one opens it anew.
    current.catch(() => undefined);
  };

  /** What is open; where opening it anew had failed that is tried once more, and what comes of it thrown. */
  const opened = async (): Promise<{ asked: Promise<ApartSession>; session: ApartSession }> => {
    const asked = current;
    try {
      return { asked, session: await asked };
    } catch (error) {
      if (asked === current && released === undefined) {
        options.lost(error instanceof Error ? error.message : String(error));
        current = options.open(stuck);
      }
      return { asked: current, session: await current };
    }
  };

  const attempt = async (
    { asked, session }: Awaited<ReturnType<typeof opened>>,
    feeds: Parameters<ModelSession['run']>[0],
    wanted: readonly string[],
  ) => {
    let hangs = false;
    const timer = setTimeout(() => {
      hangs = true;
      stuck = true;
      session.abandon(`did not end a run within ${stuckAfterMs} ms and was given up`);
    }, stuckAfterMs);
    try {
      return await session.run(feeds, wanted);
    } catch (error) {
      if (!isLoss(error)) throw error;
      reopen(asked, error);
      throw hangs
        ? new PredictionError(
            'INFERENCE_FAILED',
            `${key} did not end a run within ${stuckAfterMs} ms; it was given up.`,
          )
        : error;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    inputs: first.inputs,
    outputs: first.outputs,
    otherOutputs: first.otherOutputs,
    async run(feeds, wanted) {
      if (released !== undefined) throw new PredictionError('MODEL_NOT_READY', `${key} was released; it runs no more.`);
      const before = await opened();
      try {
        return await attempt(before, feeds, wanted);
      } catch (error) {
        if (!isLoss(error)) throw error;
      }
      // Where it cannot be opened nothing is wrong with what was asked: that passes.
      const again = await opened();
      try {
        return await attempt(again, feeds, wanted);
      } catch (error) {
        if (!isLoss(error)) throw error;
        // Twice is no accident: what was asked may be what ends it.
        throw new PredictionError('INFERENCE_FAILED', `${key} was lost twice in this run. ${error.message}`, {
          cause: error,
        });
      }
    },
    release() {
      released ??= current.then(
        (session) => session.release(),
        () => undefined, // nothing is open
      );
      return released;
    },
  };
}

function isLoss(error: unknown): error is PredictionError {
  return error instanceof PredictionError && error.code === 'ENGINE_UNAVAILABLE';
}
