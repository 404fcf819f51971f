import { failedMember } from './member-result.ts';
import { type Chunk, countChunk, pendingMembers, recordMembers } from './member-table.ts';
import type { Run } from './run.ts';
import { type BegunSlice, beginSlice, recordsOf, type SliceParts, type Unreachable } from './work-slice.ts';

export interface ChunkParts extends SliceParts {
  /** Members whose records are read at once: fewer where each brings images. */
  sliceSizeOf(model: Run['model']): number;
  /** Whether a slice is begun while the one before is written. A crash repeats two slices at most then, else one. */
  readonly overlap: boolean;
  /** Waits between attempts to read records that could not be reached. */
  readonly unreachableRetryMs: readonly number[];
}

/** `stopped`: the server closes. `withdrawn`: the run is no longer running. Members that are left are pending then. */
export type ChunkEnd = 'done' | 'stopped' | 'withdrawn';

/**
 * Predicts about the pending members of a chunk, slice by slice, and keeps what came of each slice before the next. A
 * member that fails is a failed member, whatever the reason, and never stops the others. One whose record cannot be
 * reached is tried again, and fails for good only where the source was seen to answer about others meanwhile: a source
 * that is down is no fault of its patients.
 * Throws what concerns them all: DATABASE_UNAVAILABLE, STORAGE_FULL, SHUTTING_DOWN, MODEL_UNKNOWN, MODEL_NOT_READY, and
 * RECORD_UNREACHABLE where the source did not answer about anybody.
 * @param exhausted the chunk was put off so often that a few members who cannot be reached have failed for good
 */
export async function workChunk(
  parts: ChunkParts,
  run: Run,
  chunk: Chunk,
  { signal, exhausted }: { readonly signal: AbortSignal; readonly exhausted: boolean },
): Promise<ChunkEnd> {
  /**
   * Members that could not be reached although the source answers: the only one of a slice, or with others after them. Of
   * several in a slice, the source may have gone down while it was read.
   */
  const alone = new Set<number>();
  for (const [attempt, waitMs] of [0, ...parts.unreachableRetryMs].entries()) {
    const members = await pendingMembers(parts.database, run.id, chunk);
    if (members.length === 0) return 'done';
    await pause(waitMs, signal);
    const last = attempt === parts.unreachableRetryMs.length;
    const left: Unreachable[] = [];
    const sliceSize = parts.sliceSizeOf(run.model);
    const read = (at: number) => ahead(recordsOf(parts, run, members.slice(at, at + sliceSize)));
    let records = read(0);
    let begun: BegunSlice | undefined;
    /** @returns what ends the chunk, or this attempt at it */
    const ended = async (slice: BegunSlice): Promise<ChunkEnd | 'source-down' | undefined> => {
      const { state, done, unreachable } = await slice.end;
      if (state !== 'running') return 'withdrawn';
      if (done > 0)
        for (const { ordinal } of unreachable.length === 1 ? [...left, ...unreachable] : left) alone.add(ordinal);
      left.push(...unreachable);
      // Nobody else is asked about while the source seems to be down.
      const isDown = done === 0 && !exhausted && unreachable.some(({ ordinal }) => !alone.has(ordinal));
      return isDown ? 'source-down' : undefined;
    };
    let over: ChunkEnd | 'source-down' | undefined;
    let stopped = false;
    try {
      for (let at = 0; at < members.length && over === undefined; at += sliceSize) {
        stopped = signal.aborted;
        if (stopped) break;
        const held = await records;
        // The next records are read while these are predicted from.
        if (at + sliceSize < members.length) records = read(at + sliceSize);
        const before = begun;
        begun = await beginSlice(parts, run, members.slice(at, at + sliceSize), held);
        // With the own store, what came of one slice is written while the next is computed; another server is asked about one at a time.
        if (!parts.overlap) over = await ended(begun);
        else if (before !== undefined) over = await ended(before);
      }
      if (parts.overlap && begun !== undefined && over !== 'withdrawn') over = (await ended(begun)) ?? over;
    } catch (error) {
      // Nothing goes on behind the one error that is thrown, which came first.
      await begun?.end.catch(() => undefined);
      throw error;
    }
    if (over === 'withdrawn') {
      await begun?.end;
      return over;
    }
    if (stopped) return 'stopped';
    if (last) return await giveUp(parts, run, chunk, { left, alone, exhausted });
  }
  return 'done';
}

/** A promise that is looked at later, or by nobody where the chunk ends before. */
function ahead<T>(coming: Promise<T>): Promise<T> {
  coming.catch(() => undefined); // whoever looks at it has the error
  return coming;
}

/** After the last attempt: whom the source answered about others beside has failed, and nobody else. */
async function giveUp(
  parts: ChunkParts,
  run: Run,
  chunk: Chunk,
  given: { readonly left: readonly Unreachable[]; readonly alone: ReadonlySet<number>; readonly exhausted: boolean },
): Promise<ChunkEnd> {
  const { left, alone } = given;
  const down = left.filter(({ ordinal }) => !alone.has(ordinal));
  const [first] = down;
  const pending = (await pendingMembers(parts.database, run.id, chunk)).length;
  const few = pending === 1 || pending < (await countChunk(parts.database, run.id, chunk));
  const fails = given.exhausted && few ? left : left.filter(({ ordinal }) => alone.has(ordinal));
  const state = await recordMembers(
    parts.database,
    run.id,
    fails.map(({ ordinal, error }) => failedMember(ordinal, error)),
  );
  if (state !== 'running') return 'withdrawn';
  if (first !== undefined && fails.length < pending) throw first.error;
  return 'done';
}

/** Resolves earlier where the server closes. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
