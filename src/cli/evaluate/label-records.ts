import type { RecordQuery } from '../../model-catalog/record-queries.ts';
import { PredictionError } from '../../platform/errors.ts';
import { readRecords } from '../../records/read-records.ts';
import type { ReadRecord } from '../../records/record-source.ts';
import { failedMember } from '../../runs/member-result.ts';
import { concernsAll } from '../../runs/work-slice.ts';
import type { RowParts } from '../extract/matrix-rows.ts';

/**
 * What labels are read from, by subject: of many at once; where that fails, of each alone, and the code of the error in the
 * place of a record that cannot be read. Throws what concerns all, and the reason of the signal.
 */
export async function labelRecords(
  { source, rowTimeoutMs }: Pick<RowParts, 'source' | 'rowTimeoutMs'>,
  subjects: readonly string[],
  queries: readonly RecordQuery[],
  signal: AbortSignal,
): Promise<Map<string, ReadRecord | { readonly code: string }>> {
  const read = async (ids: readonly string[]): Promise<ReadonlyMap<string, ReadRecord>> => {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(rowTimeoutMs)]);
    return (await readRecords(source, { subjects: ids, queries, also: [] }, inTime)).subjects;
  };
  if (subjects.length === 0) return new Map();
  try {
    return new Map(await read(subjects));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof PredictionError && error.code === 'RECORD_UNREACHABLE')) throw error;
  }
  const found = new Map<string, ReadRecord | { readonly code: string }>();
  for (const subject of subjects) {
    try {
      found.set(subject, (await read([subject])).get(subject) ?? { rows: [] });
    } catch (error) {
      signal.throwIfAborted();
      if (concernsAll(error)) throw error;
      found.set(subject, { code: failedMember(0, error).error?.code ?? 'INTERNAL' });
    }
  }
  return found;
}
