import type { Encounter } from '@medplum/fhirtypes';
import { compileEncounterClass } from '../../features/encounter-class.ts';
import { changesMeaning } from '../../features/unknown-meaning.ts';
import { instantRange } from '../../fhir/instant-range.ts';
import type { RecordQuery } from '../../model-catalog/record-queries.ts';
import { readRecords } from '../../records/read-records.ts';
import type { RecordSource } from '../../records/record-source.ts';

/** Which instant of an encounter is the as-of of its row. */
export type Anchor = 'encounter-start' | 'encounter-end';

/** One row that is to be made: by subject and as-of, or why it cannot be. */
export interface RowRequest {
  readonly subject: string;
  readonly asOf?: Date;
  readonly encounter?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

const query: RecordQuery = { key: 'encounters', type: 'Encounter', subjectParameter: 'patient' };

/**
 * A row for each encounter of a subject that is finished or in progress today, by its beginning; for `encounter-end`, for
 * each that is finished. What is read here says only which rows there are: each row reads its own record again.
 * An encounter that does not say its time, or whose class is of another system, is a row with an error: it may belong here.
 * Throws RECORD_UNREACHABLE.
 * @param classes `system|code`; empty: all
 */
export async function anchorRows(
  source: RecordSource,
  subject: string,
  { anchor, classes }: { readonly anchor: Anchor; readonly classes: readonly string[] },
  signal: AbortSignal,
): Promise<RowRequest[]> {
  const read = await readRecords(source, { subjects: [subject], queries: [query], also: [] }, signal);
  const { patient, rows = [] } = read.subjects.get(subject) ?? {};
  if (patient === undefined)
    return [{ subject, error: { code: 'SUBJECT_UNKNOWN', message: `There is no Patient/${subject}.` } }];
  const isOfClass = classes.length === 0 ? () => true : compileEncounterClass(classes);
  const statuses = anchor === 'encounter-end' ? ['finished'] : ['finished', 'in-progress'];
  return newestVersions(rows).flatMap((encounter): RowRequest[] => {
    const { id = '', status, period } = encounter;
    if (!statuses.includes(status)) return [];
    const failed = (what: string): RowRequest[] => [
      { subject, encounter: id, error: { code: 'PARAMETER_INVALID', message: `Encounter/${id} ${what}` } },
    ];
    if (changesMeaning(encounter)) return failed('carries a modifier that is not known here.');
    const isWanted = isOfClass(encounter);
    if (isWanted === 'unknown') return failed('has a class of a system that --class does not name.');
    if (!isWanted) return [];
    const start = timeOf(period?.start);
    const at = anchor === 'encounter-start' ? start : timeOf(period?.end);
    if (at === undefined)
      return failed(`does not say at what time it ${anchor === 'encounter-end' ? 'ended' : 'began'}.`);
    if (start !== undefined && at < start) return failed('ends before it begins.');
    return [{ subject, encounter: id, asOf: new Date(at) }];
  });
}

/** Epoch milliseconds; undefined for a date without a time: a day later or earlier is another training example. */
function timeOf(date: string | undefined): number | undefined {
  return date?.includes('T') ? instantRange(date, 'utc')?.start : undefined;
}

/** Each encounter once, by beginning and id. */
function newestVersions(rows: readonly { readonly resourceType: string }[]): Encounter[] {
  const byId = new Map<string, Encounter>();
  for (const row of rows) {
    if (!isEncounter(row)) continue;
    const { id = '', meta } = row;
    const kept = byId.get(id);
    if (kept === undefined || (meta?.lastUpdated ?? '') > (kept.meta?.lastUpdated ?? '')) byId.set(id, row);
  }
  return [...byId.values()].sort(
    (one, other) =>
      order(timeOf(one.period?.start) ?? 0, timeOf(other.period?.start) ?? 0) || order(one.id ?? '', other.id ?? ''),
  );
}

function isEncounter(row: { readonly resourceType: string }): row is Encounter {
  return row.resourceType === 'Encounter';
}

function order<T extends number | string>(one: T, other: T): number {
  return one < other ? -1 : Number(one > other);
}
