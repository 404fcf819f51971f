import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { PredictionOutcome } from '../prediction/prediction-outcome.ts';
import type { PredictionParts } from '../prediction/prediction-parts.ts';
import type { PredictionRequest } from '../prediction/prediction-request.ts';
import { failedMember, memberResult } from './member-result.ts';
import { type Chunk, type MemberResult, type PendingMember, pendingMembers, recordMembers } from './member-table.ts';
import type { Run } from './run.ts';

export interface ChunkParts {
  readonly database: Sql;
  /** The path every entrance calls. */
  predict(request: PredictionRequest, parts?: PredictionParts): Promise<PredictionOutcome>;
  /** Parts that hold the records of these subjects already, read at once. */
  recordsOf(
    subjects: readonly string[],
    model: { readonly id: string; readonly version: string },
    asOf: Date,
  ): Promise<PredictionParts | undefined>;
  /** Members whose records are read at once. What a crash repeats at most. */
  readonly sliceSize: number;
  /** How long the record of one member may take. */
  readonly memberTimeoutMs: number;
  /** Waits between attempts to read records that could not be reached. */
  readonly unreachableRetryMs: readonly number[];
}

/** `stopped`: the server closes. `withdrawn`: the run is no longer running. Members that are left are pending then. */
export type ChunkEnd = 'done' | 'stopped' | 'withdrawn';

/** The whole run cannot go on: its model is not served. */
const endsRun: readonly string[] = ['MODEL_UNKNOWN', 'MODEL_NOT_READY'];
/** The house cannot work now; no member is to blame. */
const endsAttempt: readonly string[] = [
  'DATABASE_UNAVAILABLE',
  'STORAGE_FULL',
  'SHUTTING_DOWN',
  'STARTING',
  ...endsRun,
];

/**
 * Predicts about the pending members of a chunk, slice by slice, and keeps what came of each slice before the next. A
 * member that fails is a failed member, whatever the reason, and never stops the others.
 * Throws what concerns them all: DATABASE_UNAVAILABLE, STORAGE_FULL, SHUTTING_DOWN, MODEL_UNKNOWN, MODEL_NOT_READY.
 */
export async function workChunk(parts: ChunkParts, run: Run, chunk: Chunk, signal: AbortSignal): Promise<ChunkEnd> {
  for (const [attempt, waitMs] of [0, ...parts.unreachableRetryMs].entries()) {
    const members = await pendingMembers(parts.database, run.id, chunk);
    if (members.length === 0) return 'done';
    await pause(waitMs, signal);
    const last = attempt === parts.unreachableRetryMs.length;
    for (let at = 0; at < members.length; at += parts.sliceSize) {
      if (signal.aborted) return 'stopped';
      const state = await workSlice(parts, run, members.slice(at, at + parts.sliceSize), last);
      if (state !== 'running') return 'withdrawn';
    }
  }
  return 'done';
}

/** @param last whether members whose record cannot be reached have failed for good, rather than staying pending */
async function workSlice(
  parts: ChunkParts,
  run: Run,
  members: readonly PendingMember[],
  last: boolean,
): Promise<Run['state']> {
  const held = await recordsOf(parts, run, members);
  const underWay: Promise<Attempt>[] = [];
  for (const member of members) {
    // One at a time, so that whoever stands at a bedside comes in between; their writes still join in groups.
    await new Promise((resolve) => setImmediate(resolve));
    underWay.push(attempted(workMember(parts, run, member, held, last)));
  }
  const attempts = await Promise.all(underWay);
  const results = attempts.flatMap((attempt) => ('result' in attempt && attempt.result ? [attempt.result] : []));
  const broken = attempts.find((attempt) => 'error' in attempt);
  if (broken !== undefined && results.length === 0) throw broken.error;
  const state = await recordMembers(parts.database, run.id, results);
  if (broken !== undefined) throw broken.error;
  return state;
}

type Attempt = { readonly result: MemberResult | undefined } | { readonly error: unknown };

/** Never rejects: the others of the slice are still under way. */
async function attempted(work: Promise<MemberResult | undefined>): Promise<Attempt> {
  try {
    return { result: await work };
  } catch (error) {
    return { error };
  }
}

/** Where the records cannot be reached all at once, each member asks for its own. */
async function recordsOf(
  parts: ChunkParts,
  run: Run,
  members: readonly PendingMember[],
): Promise<PredictionParts | undefined> {
  try {
    const subjects = members.map(({ subject }) => subject);
    return await parts.recordsOf(subjects, run.model, run.asOf);
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'RECORD_UNREACHABLE') return undefined;
    throw error;
  }
}

/** @returns undefined for a member that is to be tried again */
async function workMember(
  { predict, memberTimeoutMs }: ChunkParts,
  run: Run,
  { ordinal, subject }: PendingMember,
  held: PredictionParts | undefined,
  last: boolean,
): Promise<MemberResult | undefined> {
  const client = run.schedule ?? run.requester;
  try {
    const outcome = await predict(
      {
        requestId: `${run.id}.${ordinal}`,
        entrance: 'cohort',
        caller: { run: run.id, ...(client === undefined ? {} : { client }) },
        model: run.model.id,
        version: run.model.version,
        subject,
        asOf: run.asOf,
        seed: [],
        inputs: [],
        writeBack: run.writeBack,
        explain: run.explain,
        signal: AbortSignal.timeout(memberTimeoutMs),
      },
      held,
    );
    return memberResult(ordinal, outcome);
  } catch (error) {
    const code = error instanceof PredictionError ? error.code : 'INTERNAL';
    if (endsAttempt.includes(code)) throw error;
    if (code === 'RECORD_UNREACHABLE' && !last) return undefined;
    return failedMember(ordinal, error);
  }
}

/** True where the error says that the run as a whole cannot go on. */
export function failsRun(error: unknown): error is PredictionError {
  return error instanceof PredictionError && endsRun.includes(error.code);
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
