import { PredictionError } from '../platform/errors.ts';
import { createLaneQueue, type Lane } from '../platform/lane-queue.ts';
import { givenUp, unlessGivenUp } from './given-up.ts';
import { ImageFault } from './image-fault.ts';

/** What a reading has of the memory of all of them. */
export interface MemoryShare {
  /** Gives back all but so many bytes; it has never more than before. */
  keep(bytes: number): void;
}

/** The memory that all readings of a process have together, in bytes. */
export interface ImageMemory {
  /** Nothing larger is ever had. */
  readonly bytes: number;
  /** What nobody has at the moment. */
  readonly free: number;
  /**
   * Waits for its turn: those of a lane come in the order of asking, so that a large one comes as surely as a small one, whatever is asked
   * for after it; those of a run go behind those that somebody at a bedside waits for, see `createLaneQueue`.
   * Whoever has a share asks for no other one before it is given back, for two that do so could wait for each other.
   * Throws ImageFault `image-too-large` at once for more than there is in all; DEADLINE_EXCEEDED where the signal is aborted first, or
   * the PredictionError that is the reason of it; OVERLOADED after `longestWaitMs`.
   */
  take(bytes: number, options?: TakeOptions): Promise<MemoryShare>;
}

export interface TakeOptions {
  readonly signal?: AbortSignal;
  /** `back` for what nobody waits for at a bedside, such as a run; absent: `front`. */
  readonly lane?: Lane;
}

interface Waiting {
  readonly bytes: number;
  begin(share: MemoryShare): void;
}

/** @param longestWaitMs milliseconds that somebody waits whose signal says nothing */
export function createImageMemory(bytes: number, { longestWaitMs = 60_000 } = {}): ImageMemory {
  let free = bytes;
  const waiting = createLaneQueue<Waiting>();

  const letIn = (): void => {
    for (let first = waiting.first; first !== undefined && first.bytes <= free; first = waiting.first) {
      waiting.shift();
      free -= first.bytes;
      first.begin(shareOf(first.bytes));
    }
  };
  const shareOf = (had: number): MemoryShare => ({
    keep(kept) {
      const given = Math.max(0, had - kept);
      had -= given;
      free += given;
      letIn();
    },
  });

  return {
    bytes,
    get free() {
      return free;
    },
    async take(wanted, { signal, lane = 'front' } = {}) {
      if (wanted > bytes) throw tooLargeFor(wanted, bytes);
      if (signal?.aborted === true) throw givenUp(signal);
      const turn = Promise.withResolvers<MemoryShare>();
      const place: Waiting = { bytes: wanted, begin: turn.resolve };
      const timer = setTimeout(() => turn.reject(overloaded(longestWaitMs)), longestWaitMs);
      waiting.add(place, lane);
      letIn();
      try {
        return await (signal === undefined ? turn.promise : unlessGivenUp(signal, turn.promise));
      } catch (error) {
        // Otherwise its turn had come in the very moment in which it was given up.
        if (!waiting.remove(place)) void turn.promise.then((share) => share.keep(0));
        letIn();
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** @param needed bytes that there are not in all */
export function tooLargeFor(needed: number, bytes: number): ImageFault {
  return new ImageFault(
    'image-too-large',
    `the images need ${inMegabytes(needed)} of memory; all that are read at once have ${inMegabytes(bytes)} (limits.memoryMb of IMAGING_FILE)`,
  );
}

function overloaded(waitedMs: number): PredictionError {
  const message = `The memory for images was taken by others for ${waitedMs} ms. Try again in 5 s, with less load, or with a larger limits.memoryMb in IMAGING_FILE.`;
  return new PredictionError('OVERLOADED', message, { retryAfterSeconds: 5 });
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000)} MB`;
}
