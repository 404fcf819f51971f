import type { Tensor, Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import { isLarge } from '../copy-in-turns.ts';
import type { ModelSession, SessionRequest } from '../model-session.ts';
import type { Trial, TrialRequest } from '../trial/try-model.ts';
import type {
  OpenedSession,
  SessionAnswer,
  SessionChannel,
  SessionListener,
  SessionMessage,
} from './session-messages.ts';

/** A session of a client. */
export interface ClientSession extends ModelSession {
  /** Gives the whole client up: calls under way fail with ENGINE_UNAVAILABLE and the reason. Resolves when what ran them has ended. */
  abandon(reason: string): Promise<void>;
}

/** What runs sessions apart from this thread, and is asked through a channel. */
export interface SessionClient {
  open(request: SessionRequest): Promise<ClientSession>;
  try(request: TrialRequest): Promise<Trial>;
  /** See ClientSession.abandon. */
  abandon(reason: string): Promise<void>;
  /** Waits for what was asked. */
  close(): Promise<void>;
  /** True once nothing can be asked of it any more. */
  readonly isGone: boolean;
}

type Message = SessionMessage extends infer Each ? (Each extends unknown ? Omit<Each, 'id'> : never) : never;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Asks through a channel, and tells each answer to whoever asked. When the other side is gone all that waits fails. */
export function createSessionClient(openChannel: (listener: SessionListener) => SessionChannel): SessionClient {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let end: string | undefined;
  let emptied = (): void => undefined;

  const settle = (id: number): Waiting | undefined => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) emptied();
    return asked;
  };
  const channel = openChannel({
    answer(answer: SessionAnswer) {
      const asked = settle(answer.id);
      if (asked === undefined) return;
      if ('error' in answer) asked.reject(new PredictionError(answer.error.code, answer.error.message));
      else asked.resolve(answer.value);
    },
    gone(reason) {
      end ??= reason;
      for (const id of [...waiting.keys()]) settle(id)?.reject(lost(end));
    },
  });
  const lost = (reason: string): PredictionError =>
    new PredictionError('ENGINE_UNAVAILABLE', `What ran the model (${channel.name}) ${reason}.`, {
      retryAfterSeconds: 1,
    });

  const ask = <T>(message: Message): Promise<T> => {
    if (end !== undefined) return Promise.reject(lost(end));
    lastId += 1;
    const id = lastId;
    return new Promise<T>((resolve, reject) => {
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      const notSent = (error: unknown): void =>
        settle(id)?.reject(error instanceof Error ? error : new Error(String(error)));
      try {
        channel.post({ ...message, id } as SessionMessage)?.catch(notSent);
      } catch (error) {
        notSent(error);
      }
    });
  };
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    if (end === undefined && waiting.size > 0) {
      await new Promise<void>((resolve) => {
        emptied = resolve;
      });
    }
    // What is gone, or was given up, is not told to end: it might never hear it.
    if (end !== undefined) return;
    end = 'was closed';
    await channel.end();
  };
  const abandon = (reason: string): Promise<void> => {
    end ??= reason;
    return channel.abandon();
  };
  return {
    async open(request) {
      const opened = await ask<OpenedSession>({
        ask: 'open',
        request: { ...request, artefact: own(request.artefact) },
      });
      return apartSession(opened, { ask, abandon });
    },
    try: (request) =>
      ask({
        ask: 'try',
        request: { ...request, session: { ...request.session, artefact: own(request.session.artefact) } },
      }),
    abandon,
    close() {
      closing ??= close();
      return closing;
    },
    get isGone() {
      return end !== undefined;
    },
  };
}

function apartSession(
  { session, inputs, outputs, otherOutputs }: OpenedSession,
  { ask, abandon }: { ask<T>(message: Message): Promise<T>; abandon(reason: string): Promise<void> },
): ClientSession {
  return {
    inputs,
    outputs,
    otherOutputs,
    run: (feeds, wanted) => ask<Tensors>({ ask: 'run', session, feeds: ownTensors(feeds), wanted }),
    release: () => ask<undefined>({ ask: 'release', session }),
    abandon,
  };
}

function ownTensors(feeds: Tensors): Tensors {
  return new Map(
    [...feeds].map(([name, tensor]) => {
      const { data } = tensor;
      // What is large goes in parts, whatever it is a part of.
      const isOwn = !ArrayBuffer.isView(data) || data.byteLength === data.buffer.byteLength || isLarge(data);
      return [name, isOwn ? tensor : ({ ...tensor, data: data.slice() } as Tensor)];
    }),
  );
}

/** A view of its own bytes alone: with a view into a larger buffer all of that would be copied. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
