import type { NumericData, TensorForm, Tensors } from '../../model-catalog/tensor.ts';
import type { ErrorCode } from '../../platform/errors.ts';
import type { SessionRequest } from '../model-session.ts';
import type { Trial, TrialRequest } from '../trial/try-model.ts';

/** What is asked of a thread or process that runs sessions; each is answered once, by its number. */
export type SessionMessage = { readonly id: number } & (
  | { readonly ask: 'open'; readonly request: SessionRequest }
  | { readonly ask: 'run'; readonly session: number; readonly feeds: Tensors; readonly wanted: readonly string[] }
  /** Numbers of a feed that is too large for one message, from `at` on, before the run of the same number is asked for: its feed has none. Not answered. */
  | {
      readonly ask: 'keep';
      readonly feed: string;
      readonly length: number;
      readonly at: number;
      readonly part: NumericData;
    }
  | { readonly ask: 'release'; readonly session: number }
  | { readonly ask: 'try'; readonly request: TrialRequest }
);

/** What an opened session is known by. */
export interface OpenedSession {
  readonly session: number;
  readonly inputs: readonly TensorForm[];
  readonly outputs: readonly TensorForm[];
  readonly otherOutputs: readonly string[];
}

export type SessionAnswer = { readonly id: number } & (
  | { readonly value: OpenedSession | Tensors | Trial | undefined }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } }
);

/** A way to whatever runs sessions apart from this thread. */
export interface SessionChannel {
  /** `thread` or `process 4711`, for messages. */
  readonly name: string;
  /** Sends it, in turns of the event loop where it is large; it is not to be changed before it is answered. Throws, or rejects, where it cannot be sent. */
  post(message: SessionMessage): void | Promise<void>;
  /** Lets the other side end by itself, once all that was asked is answered; resolves when it has. */
  end(): Promise<void>;
  /** Gives it up at once, whatever it does: nothing more is heard of it. Resolves when it has ended after all. */
  abandon(): Promise<void>;
}

/** What a channel tells: answers, and why the other side is gone. */
export interface SessionListener {
  answer(answer: SessionAnswer): void;
  /** Called once. `reason` completes the sentence "the process …". */
  gone(reason: string): void;
}
