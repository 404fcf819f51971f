import { PredictionError } from '../../platform/errors.ts';
import type { RecordSource } from '../../records/record-source.ts';
import type { CohortSource } from '../../runs/cohort-source.ts';
import { failedMember } from '../../runs/member-result.ts';
import type { FoundSubject } from '../../runs/member-table.ts';
import { concernsAll } from '../../runs/work-slice.ts';
import { anchorRows, type RowRequest } from './anchor-rows.ts';
import type { ExtractOptions } from './extract-options.ts';
import { readRowList } from './row-list.ts';

export interface RequestParts {
  readonly source: RecordSource;
  readonly cohorts: CohortSource;
  readonly timeZone: string;
  readonly now: () => Date;
  /** Subjects whose encounters are asked for at once. */
  readonly sliceSize: number;
  /** How long the encounters of one subject may take. */
  readonly rowTimeoutMs: number;
}

/**
 * The rows of a matrix, in the order of the cohort; nothing is read before it is asked for. A subject that a Group or a search
 * gives twice has its rows once; lines of a list stand for themselves.
 * Throws what `CohortSource.read` throws: a cohort that ends is a whole one.
 */
export async function* rowRequests(
  parts: RequestParts,
  { cohort, time }: Pick<ExtractOptions, 'cohort' | 'time'>,
  signal: AbortSignal,
): AsyncGenerator<RowRequest> {
  const listed = 'list' in cohort ? readRowList(cohort.list, parts.timeZone) : undefined;
  const subjects = listed ?? foundSubjects(parts, cohort as Exclude<typeof cohort, { list: string }>, time, signal);
  if (!('anchor' in time)) {
    for await (const found of subjects) yield { ...('asOf' in time ? { asOf: time.asOf } : {}), ...found };
    return;
  }
  for await (const slice of slicesOf<RowRequest>(subjects, parts.sliceSize)) {
    const rows = await Promise.all(
      slice.map(async (found) => {
        if (found.error !== undefined) return [found];
        try {
          const inTime = AbortSignal.any([signal, AbortSignal.timeout(parts.rowTimeoutMs)]);
          return await anchorRows(parts.source, found.subject, time, inTime);
        } catch (error) {
          if (concernsAll(error) || !(error instanceof PredictionError)) throw error;
          return [{ subject: found.subject, error: failedMember(0, error).error }];
        }
      }),
    );
    signal.throwIfAborted();
    yield* rows.flat();
  }
}

async function* foundSubjects(
  { cohorts, source, now }: RequestParts,
  cohort: Parameters<CohortSource['read']>[0],
  time: ExtractOptions['time'],
  signal: AbortSignal,
): AsyncGenerator<FoundSubject> {
  // The own store gives all patients by id, each once: their ids need not be held.
  const seen = 'all' in cohort && source.own ? undefined : new Set<string>();
  for await (const page of cohorts.read(cohort, 'asOf' in time ? time.asOf : now(), signal)) {
    for (const found of page) {
      if (seen?.has(found.subject)) continue;
      seen?.add(found.subject);
      yield found;
    }
  }
}

/** Groups of at most `size`, in order. */
export async function* slicesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let slice: T[] = [];
  for await (const item of items) {
    slice.push(item);
    if (slice.length < size) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
