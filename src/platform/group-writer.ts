import { PredictionError } from './errors.ts';

/** What became of one item of a group. */
export type GroupReceipt<Receipt> = { readonly receipt: Receipt } | { readonly error: unknown };

export interface GroupWriter<Item, Receipt> {
  /** Resolves when the item's group is kept. Rejects with what became of it, or with SHUTTING_DOWN after `close`. */
  write(item: Item): Promise<Receipt>;
  /** Takes nothing more; resolves when everything taken is settled. */
  close(): Promise<void>;
}

interface Waiting<Item, Receipt> {
  readonly item: Item;
  resolve(receipt: Receipt): void;
  reject(error: unknown): void;
}

export interface GroupWriterOptions {
  readonly maxItems: number;
  /** Whether a group goes on gathering while every turn of the event loop brings somebody: fewer groups, each of which waits. */
  readonly gathers?: boolean;
}

/** So long a group gathers at most. */
const longestGatheringMs = 10;

/**
 * Joins items of concurrent callers into groups, one flush at a time. A flush begins after one turn of the event loop, so
 * that whoever asks in it comes along, and takes all that waits, up to `maxItems`: nothing waits for a timer.
 * @param flush one receipt per item, in the order of the items; where it throws, every item of the group has failed
 */
export function createGroupWriter<Item, Receipt>(
  flush: (items: readonly Item[]) => Promise<readonly GroupReceipt<Receipt>[]>,
  { maxItems, gathers = false }: GroupWriterOptions,
): GroupWriter<Item, Receipt> {
  let queue: Waiting<Item, Receipt>[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const gathered = async (): Promise<void> => {
    await turn();
    if (!gathers) return;
    const startedMs = performance.now();
    let seen = 0;
    while (queue.length > seen && queue.length < maxItems && performance.now() - startedMs < longestGatheringMs) {
      seen = queue.length;
      // Twice, for whoever has a turn after this one in the first.
      await turn();
      await turn();
    }
  };

  const flushAll = async (): Promise<void> => {
    while (queue.length > 0) {
      await gathered();
      const group = queue.slice(0, maxItems);
      queue = queue.slice(maxItems);
      await settle(group, flush);
    }
    running = undefined;
  };

  return {
    write(item) {
      if (closed)
        return Promise.reject(new PredictionError('SHUTTING_DOWN', 'The server is closing; nothing more is kept.'));
      return new Promise<Receipt>((resolve, reject) => {
        queue.push({ item, resolve, reject });
        running ??= flushAll();
      });
    },
    async close() {
      closed = true;
      while (running !== undefined) await running;
    },
  };
}

async function settle<Item, Receipt>(
  group: readonly Waiting<Item, Receipt>[],
  flush: (items: readonly Item[]) => Promise<readonly GroupReceipt<Receipt>[]>,
): Promise<void> {
  try {
    const receipts = await flush(group.map(({ item }) => item));
    group.forEach(({ resolve, reject }, index) => {
      const settled = receipts[index];
      if (settled === undefined)
        reject(new PredictionError('INTERNAL', 'A group gave back fewer receipts than it had items.'));
      else if ('error' in settled) reject(settled.error);
      else resolve(settled.receipt);
    });
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}
