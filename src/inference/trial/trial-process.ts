import { PredictionError } from '../../platform/errors.ts';
import type { ModelSession, SessionRequest } from '../model-session.ts';
import { openProcess, type ProcessLimits } from '../sessions/process-channel.ts';
import { createSessionClient, type SessionClient } from '../sessions/session-client.ts';
import type { Trial, TrialRequest } from './try-model.ts';

/** Tries graphs in a process of their own: one that crashes, fills its memory or never ends harms nobody. */
export interface TrialProcess {
  /** One after the other. Throws MODEL_INVALID, INFERENCE_FAILED. */
  try(request: TrialRequest): Promise<Trial>;
  /** Opens a graph there for as long as the work takes. Throws MODEL_INVALID, and what the work throws. */
  use(request: SessionRequest, work: (session: ModelSession) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** How long the process waits for the next graph, in milliseconds: starting one takes a fifth of a second. */
const lingerMs = 2_000;

/** @param timeoutMs a trial, or a use, that takes longer is given up, and the model refused */
export function createTrialProcess(limits: ProcessLimits, timeoutMs: number): TrialProcess {
  let client: SessionClient | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let leaving: NodeJS.Timeout | undefined;

  const askNow = async <T>(key: string, ask: (client: SessionClient) => Promise<T>): Promise<T> => {
    clearTimeout(leaving);
    if (client === undefined || client.isGone)
      client = createSessionClient((listener) => openProcess(listener, limits));
    const asked = client;
    const timer = setTimeout(() => void asked.abandon(`did not end within ${timeoutMs} ms`), timeoutMs);
    try {
      return await ask(asked);
    } catch (error) {
      if (!(error instanceof PredictionError) || error.code !== 'ENGINE_UNAVAILABLE') throw error;
      throw new PredictionError(
        'MODEL_INVALID',
        `Model ${key} is refused: model.onnx was tried in a process of its own, which came to no end that can be used. ${error.message}`,
        { cause: error },
      );
    } finally {
      clearTimeout(timer);
      leaving = setTimeout(() => void leave(), lingerMs).unref();
    }
  };
  const inTurn = <T>(key: string, ask: (client: SessionClient) => Promise<T>): Promise<T> => {
    const asked = last.then(() => askNow(key, ask));
    last = asked.catch(() => undefined);
    return asked;
  };
  const leave = async (): Promise<void> => {
    const idle = client;
    client = undefined;
    await idle?.close();
  };
  return {
    try: (request) => inTurn(request.session.key, (asked) => asked.try(request)),
    use: (request, work) =>
      inTurn(request.key, async (asked) => {
        const session = await asked.open(request);
        try {
          await work(session);
        } catch (error) {
          if (!asked.isGone) await session.release();
          throw error;
        }
        await session.release();
      }),
    async close() {
      await last;
      clearTimeout(leaving);
      await leave();
    },
  };
}
