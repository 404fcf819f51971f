import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { PredictionOutcome } from '../prediction/prediction-outcome.ts';
import type { PredictionParts } from '../prediction/prediction-parts.ts';
import type { PredictionRequest } from '../prediction/prediction-request.ts';
import { failedMember, memberResult } from './member-result.ts';
import { type MemberResult, type PendingMember, recordMembers } from './member-table.ts';
import type { Run } from './run.ts';

export interface SliceParts {
  readonly database: Sql;
  /** The path every entrance calls. */
  predict(request: PredictionRequest, parts?: PredictionParts): Promise<PredictionOutcome>;
  /** Parts that hold the records of these subjects already, read at once. */
  recordsOf(
    subjects: readonly string[],
    model: { readonly id: string; readonly version: string },
    asOf: Date,
  ): Promise<PredictionParts | undefined>;
  /** How long the record and the model of one member may take. */
  readonly memberTimeoutMs: number;
}

/** What came of a slice. Members whose record could not be reached are pending still. */
export interface SliceEnd {
  readonly state: Run['state'];
  /** Members that something came of. */
  readonly done: number;
  readonly unreachable: readonly Unreachable[];
}

/** A member whose record or model could not be reached, and how that showed. */
export interface Unreachable {
  readonly ordinal: number;
  readonly error: PredictionError;
}

/** The whole run cannot go on: its model is not served, or switched off. */
const endsRun: readonly string[] = ['MODEL_UNKNOWN', 'MODEL_NOT_READY', 'MODEL_DISABLED'];
/** What a prediction needs does not answer in time, the record source, the image server or the engine: tried again, so often and no more. */
const awayCodes: readonly string[] = [
  'RECORD_UNREACHABLE',
  'IMAGES_UNREACHABLE',
  'ENGINE_UNAVAILABLE',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
];
/** The house cannot work now; no member is to blame. */
const endsAttempt: readonly string[] = [
  'DATABASE_UNAVAILABLE',
  'STORAGE_FULL',
  'SHUTTING_DOWN',
  'STARTING',
  ...endsRun,
];

/** True where the error says that the run as a whole cannot go on. */
export function failsRun(error: unknown): error is PredictionError {
  return error instanceof PredictionError && endsRun.includes(error.code);
}

/** True where the error is none of one member: the house, or the model, cannot work now. */
export function concernsAll(error: unknown): error is PredictionError {
  return error instanceof PredictionError && endsAttempt.includes(error.code);
}

/** True where what a prediction needs did not answer. */
export function isAway(error: unknown): error is PredictionError {
  return error instanceof PredictionError && awayCodes.includes(error.code);
}

/** A slice whose members are all under way. */
export interface BegunSlice {
  /** Resolves when what came of them is kept. Rejects with what concerns them all. */
  readonly end: Promise<SliceEnd>;
}

/**
 * Begins to predict about some members at once; what comes of them is kept when all have ended.
 * @param held what `recordsOf` gave for them
 */
export async function beginSlice(
  parts: SliceParts,
  run: Run,
  members: readonly PendingMember[],
  held: PredictionParts | undefined,
): Promise<BegunSlice> {
  const underWay: Promise<Attempt>[] = [];
  for (const member of members) {
    // One at a time, so that whoever stands at a bedside comes in between; their writes still join in groups.
    await new Promise((resolve) => setImmediate(resolve));
    underWay.push(attempted(parts, run, member, held));
  }
  const end = endOf(parts, run, underWay);
  end.catch(() => undefined); // whoever waits for it has the error
  return { end };
}

async function endOf(parts: SliceParts, run: Run, underWay: readonly Promise<Attempt>[]): Promise<SliceEnd> {
  const attempts = await Promise.all(underWay);
  const results = attempts.flatMap((attempt) => ('result' in attempt ? [attempt.result] : []));
  const broken = attempts.find((attempt) => 'error' in attempt);
  if (broken !== undefined && results.length === 0) throw broken.error;
  const state = await recordMembers(parts.database, run.id, results);
  if (broken !== undefined) throw broken.error;
  const unreachable = attempts.flatMap((attempt) => ('unreachable' in attempt ? [attempt.unreachable] : []));
  return { state, done: results.length, unreachable };
}

type Attempt =
  | { readonly result: MemberResult }
  | { readonly unreachable: Unreachable }
  | { /** Concerns them all. */ readonly error: unknown };

/**
 * The records of a slice, or undefined where they cannot be reached all at once: then each member asks for its own.
 * Throws what concerns them all.
 */
export async function recordsOf(
  parts: SliceParts,
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

/** Never rejects: the others of the slice are still under way. */
async function attempted(
  { predict, memberTimeoutMs }: SliceParts,
  run: Run,
  { ordinal, subject, focus }: PendingMember,
  held: PredictionParts | undefined,
): Promise<Attempt> {
  const client = run.schedule ?? run.requester;
  const over = AbortSignal.timeout(memberTimeoutMs);
  try {
    const outcome = await predict(
      {
        requestId: `${run.id}.${ordinal}`,
        entrance: 'cohort',
        caller: { run: run.id, ...(client === undefined ? {} : { client }) },
        model: run.model.id,
        version: run.model.version,
        subject,
        ...(focus === undefined ? {} : { focus }),
        asOf: run.asOf,
        seed: [],
        inputs: [],
        writeBack: run.writeBack,
        explain: run.explain,
        signal: over,
        givenUp: over,
      },
      held,
    );
    return { result: memberResult(ordinal, outcome) };
  } catch (error) {
    const known = error instanceof PredictionError ? error : undefined;
    if (concernsAll(error)) return { error };
    if (isAway(known)) return { unreachable: { ordinal, error: known } };
    return { result: failedMember(ordinal, error) };
  }
}
