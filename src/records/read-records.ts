import type { Patient, Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import { bounded } from './bounded.ts';
import type { ReadRecord, ReadRecords, RecordReader, RecordSource, WantedRecords } from './record-source.ts';
import { referredNames } from './referred-names.ts';

/** Requests to one server at a time, for one subject. */
const parallelRequests = 6;

/**
 * Everything that is wanted, or an error; never a part of it. In one go where the source can, else by one request for
 * each question. Throws RECORD_UNREACHABLE.
 */
export async function readRecords(
  source: RecordSource | RecordReader,
  wanted: WantedRecords,
  signal?: AbortSignal,
): Promise<ReadRecords> {
  if (source.readMany !== undefined) return await source.readMany(wanted, signal);
  if (!('search' in source)) throw new PredictionError('INTERNAL', `There is no way to read from ${source.base}.`);
  const subjects = new Map<string, ReadRecord>();
  const others = new Map<string, Resource>();
  for (const id of wanted.subjects) subjects.set(id, await readOneByOne(source, id, wanted, others, signal));
  return { subjects, others };
}

async function readOneByOne(
  source: RecordSource,
  id: string,
  { queries, also, patients }: WantedRecords,
  others: Map<string, Resource>,
  signal: AbortSignal | undefined,
): Promise<ReadRecord> {
  const { patient, rows } = await readMatches(source, id, queries, patients ?? true, signal);
  if (patient === undefined && patients !== false) return { rows: [] };
  const known = new Map(rows.map((resource) => [`${resource.resourceType}/${resource.id}`, resource]));
  const names = new Set([...referredNames(rows, source), ...also]);
  const unread = [...names].filter((name) => !known.has(name));
  const jobs = unread.map((name) => async (stop: AbortSignal) => {
    const [type = '', named = ''] = name.split('/');
    return await source.read(type, named, stop);
  });
  const read = (await bounded(parallelRequests, jobs, signal)).filter((resource) => resource !== undefined);
  for (const resource of read) others.set(`${resource.resourceType}/${resource.id}`, resource);
  for (const name of also) {
    const found = known.get(name);
    if (found !== undefined) others.set(name, found);
  }
  return { rows, ...(patient && { patient }) };
}

/** Whether there is a patient decides first, for a server may answer a search about an unknown patient with an error. */
async function readMatches(
  source: RecordSource,
  id: string,
  queries: WantedRecords['queries'],
  wantsPatient: boolean,
  signal: AbortSignal | undefined,
): Promise<{ patient?: Patient; rows: Resource[] }> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const jobs = queries.map((query) => async (given: AbortSignal) => {
    const rows: Resource[] = [];
    for await (const page of source.search(query, id, given)) rows.push(...page);
    return rows;
  });
  const searches = bounded(parallelRequests - 1, jobs, both).then(
    (rows) => ({ rows: rows.flat() }),
    (error: unknown) => ({ error }),
  );
  try {
    const patient = wantsPatient ? await source.readPatient(id, signal) : undefined;
    if (wantsPatient && patient === undefined) return { rows: [] };
    const outcome = await searches;
    if ('error' in outcome) throw outcome.error;
    return { rows: outcome.rows, ...(patient && { patient }) };
  } finally {
    stop.abort();
  }
}
