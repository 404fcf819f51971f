import type { RecordQuery } from '../model-catalog/record-queries.ts';
import { readRecords } from './read-records.ts';
import type { ReadRecords, RecordSource, WantedRecords } from './record-source.ts';

/**
 * A source that holds some records already. It answers exactly the questions they were read for; every other one goes to
 * the source itself, whole.
 */
export function prereadSource(source: RecordSource, wanted: WantedRecords, read: ReadRecords): RecordSource {
  const held = new Set(wanted.also);
  return {
    ...source,
    async readMany(asked, signal) {
      const known =
        asked.subjects.every((id) => read.subjects.has(id)) &&
        asked.also.every((name) => held.has(name)) &&
        sameQueries(asked.queries, wanted.queries);
      return known ? read : await readRecords(source, asked, signal);
    },
  };
}

function sameQueries(some: readonly RecordQuery[], others: readonly RecordQuery[]): boolean {
  return (
    some.length === others.length &&
    some.every((query, index) => {
      const other = others[index];
      return other !== undefined && sameQuery(query, other);
    })
  );
}

function sameQuery(one: RecordQuery, other: RecordQuery): boolean {
  return (
    one.key === other.key &&
    one.type === other.type &&
    one.subjectParameter === other.subjectParameter &&
    one.since?.getTime() === other.since?.getTime() &&
    one.codes?.length === other.codes?.length &&
    (one.codes ?? []).every((code, index) => code === other.codes?.[index])
  );
}
