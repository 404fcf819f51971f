import type { InferenceLane } from '../../model-catalog/run-options.ts';
import type { Tensors } from '../../model-catalog/tensor.ts';
import type { RowForm } from './row-form.ts';
import type { QueuedRun } from './run-queue.ts';

interface Settle<Answer> {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** A call that waits or runs. It is settled once; what comes later is dropped. */
export class WaitingCall<Input = unknown, Answer = unknown> implements QueuedRun<Input, Answer> {
  readonly input: Input;
  readonly form: RowForm<Input, Answer>;
  readonly wanted: readonly string[];
  readonly rows: number;
  readonly kind: string | undefined;
  readonly #settle: Settle<Answer>;
  #afterwards: (() => void) | undefined;
  #isSettled = false;

  constructor({ input, form, wanted, rows, kind }: QueuedRun<Input, Answer>, settle: Settle<Answer>) {
    this.input = input;
    this.form = form;
    this.wanted = wanted;
    this.rows = rows;
    this.kind = kind;
    this.#settle = settle;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  whenSettled(afterwards: () => void): void {
    this.#afterwards = afterwards;
  }

  /**
   * Settles it with its rows of what a run gave, or with the reason why those are no answer.
   * @param from see RowForm.split
   */
  answer(outputs: Tensors, from?: number): void {
    if (!this.#ends()) return;
    try {
      this.#settle.resolve(this.form.split(outputs, this.rows, from));
    } catch (error) {
      this.#settle.reject(error);
    }
  }

  reject(error: unknown): void {
    if (this.#ends()) this.#settle.reject(error);
  }

  #ends(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#afterwards?.();
    return true;
  }
}

/** So often the interactive lane goes first while a batch waits: nobody waits for ever. */
const patience = 16;

/** The calls of both lanes in the order in which they came. One that is given up leaves at once. */
export class WaitingCalls {
  readonly #lanes: Readonly<Record<InferenceLane, Set<WaitingCall>>> = { interactive: new Set(), batch: new Set() };
  readonly #rows: Record<InferenceLane, number> = { interactive: 0, batch: 0 };
  readonly #givenUp: (signal: AbortSignal) => Error;
  #passed = 0;

  /** @param givenUp what a call is rejected with whose signal is aborted */
  constructor(givenUp: (signal: AbortSignal) => Error) {
    this.#givenUp = givenUp;
  }

  count(lane: InferenceLane): number {
    return this.#lanes[lane].size;
  }

  /** Rows of the calls that go before a new one of this lane. */
  rowsAhead(lane: InferenceLane): number {
    return this.#rows.interactive + (lane === 'batch' ? this.#rows.batch : 0);
  }

  /** @param signal once it is aborted the call is rejected, whether it waits or runs */
  add(lane: InferenceLane, call: WaitingCall, signal: AbortSignal | undefined): void {
    this.#lanes[lane].add(call);
    this.#rows[lane] += call.rows;
    if (signal === undefined) return;
    const giveUp = (): void => {
      this.#leave(lane, call);
      call.reject(this.#givenUp(signal));
    };
    signal.addEventListener('abort', giveUp, { once: true });
    call.whenSettled(() => signal.removeEventListener('abort', giveUp));
  }

  /** Takes those that run next, together: of the same kind, the longest waiting first; at least one where any waits. */
  take(mostRows: number): WaitingCall[] {
    const { interactive, batch } = this.#lanes;
    const batchFirst = interactive.size === 0 || (batch.size > 0 && this.#passed >= patience);
    this.#passed = batchFirst || batch.size === 0 ? 0 : this.#passed + 1;
    const order: readonly InferenceLane[] = batchFirst ? ['batch', 'interactive'] : ['interactive', 'batch'];
    const taken: WaitingCall[] = [];
    let rows = 0;
    for (const lane of order) {
      for (const call of this.#lanes[lane]) {
        if (taken.length > 0 && (rows + call.rows > mostRows || !areAlike(call, taken[0]))) return taken;
        this.#leave(lane, call);
        taken.push(call);
        rows += call.rows;
      }
    }
    return taken;
  }

  #leave(lane: InferenceLane, call: WaitingCall): void {
    if (this.#lanes[lane].delete(call)) this.#rows[lane] -= call.rows;
  }
}

function areAlike(one: WaitingCall, other: WaitingCall | undefined): boolean {
  return one.kind !== undefined && one.kind === other?.kind && one.form === other.form;
}
