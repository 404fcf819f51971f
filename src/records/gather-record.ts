import type { Encounter, Medication, Patient, Resource } from '@medplum/fhirtypes';
import { isFhirId } from '../fhir/reference.ts';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import { PredictionError } from '../platform/errors.ts';
import { bounded } from './bounded.ts';
import {
  checkSeeds,
  foreignSeed,
  isRecordResource,
  ownership,
  type RecordSeed,
  type Seed,
  sameContent,
  seedConflict,
} from './check-seeds.ts';
import { type ClinicalRecord, clinicalRecord, type RecordEntry, type RecordResource } from './clinical-record.ts';
import { localReference } from './local-reference.ts';
import { readEncounter } from './read-encounter.ts';
import type { RecordSource } from './record-source.ts';
import type { Subject } from './subject.ts';

export interface GatherRequest {
  readonly source: RecordSource;
  /** Its base is the source's: a record is completed only from the server it came from. */
  readonly subject: Subject;
  readonly queries: readonly RecordQuery[];
  /** Resources the caller already holds; Bundles are taken apart before. */
  readonly seed: readonly Seed[];
  readonly asOf: Date;
  /** Logical id of the Encounter the request names. */
  readonly encounter?: string;
  readonly signal?: AbortSignal;
}

/** Requests to one server at a time, for one subject. */
const parallelRequests = 6;

/**
 * Step 1 of the path: everything the queries ask for about one subject, or an error; never a part of it. Where the
 * source can show one state of its data, all of it is of that state.
 * Throws SUBJECT_UNKNOWN, SUBJECT_FOREIGN, SEED_CONFLICT, PARAMETER_INVALID (a seed or the encounter that cannot be
 * used), RESOURCE_UNKNOWN (the encounter), RECORD_UNREACHABLE.
 */
export async function gatherRecord(request: GatherRequest): Promise<ClinicalRecord> {
  const { source } = request;
  if (request.subject.base !== source.base) {
    throw new PredictionError('INTERNAL', `A subject of ${request.subject.base} was to be read from ${source.base}.`);
  }
  const { earlierBases } = source;
  const subject = { ...request.subject, ...(earlierBases && { earlierBases }) };
  if (!isFhirId(subject.id)) throw subjectUnknown(subject);
  const seeds = checkSeeds(request.seed, subject);
  const gatherFrom = (from: RecordSource) => gatherOnce({ ...request, subject, source: from }, seeds);
  return source.snapshot === undefined ? await gatherFrom(source) : await source.snapshot(gatherFrom);
}

async function gatherOnce(request: GatherRequest, seeds: readonly RecordSeed[]): Promise<ClinicalRecord> {
  const { source, subject, asOf } = request;
  const { patient, rows } = await fetchRecord(request);
  const medications = await fetchMedications(request, [...rows, ...seeds.map(({ resource }) => resource)]);
  const entries = new Map<string, RecordEntry>();
  for (const resource of [patient, ...rows, ...medications]) keepNewest(entries, resource, subject);
  const unread = seeds.filter(({ resource }) => resource.id !== undefined && !entries.has(keyOf(resource)));
  for (const resource of await fetchHeldSeeds(request, unread)) keepNewest(entries, resource, subject);
  const withoutId = addSeeds(entries, seeds, source.base);
  const encounter = request.encounter === undefined ? undefined : entries.get(`Encounter/${request.encounter}`);
  // By id, for no server's order may show in a result.
  const ordered = [...entries].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, entry]) => entry);
  return clinicalRecord({
    subject,
    own: source.own,
    asOf,
    patient,
    encounter: encounter?.resource as Encounter | undefined,
    entries: [...ordered, ...withoutId],
  });
}

async function fetchRecord(request: GatherRequest): Promise<{ patient: Patient; rows: RecordResource[] }> {
  const { source, subject, asOf, queries, encounter } = request;
  const stop = new AbortController();
  const both = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  const jobs = queries.map((query) => (signal: AbortSignal) => runQuery(source, query, subject, signal));
  if (encounter !== undefined) {
    jobs.unshift(async (signal) => [await readEncounter(source, subject, encounter, asOf, signal)]);
  }
  // The patient is one of the requests. Whether there is one decides first, for a server may answer a search about
  // an unknown patient with an error.
  const searches = bounded(parallelRequests - 1, jobs, both).then(
    (rows) => ({ rows: rows.flat() }),
    (error: unknown) => ({ error }),
  );
  try {
    const patient = await source.readPatient(subject.id, request.signal);
    if (patient === undefined) throw subjectUnknown(subject);
    const outcome = await searches;
    if ('error' in outcome) throw outcome.error;
    return { patient, rows: outcome.rows };
  } finally {
    stop.abort();
  }
}

function subjectUnknown({ id, base }: Subject): PredictionError {
  return new PredictionError(
    'SUBJECT_UNKNOWN',
    `There is no Patient/${id} at ${base}. Send the logical id that the patient has on that server.`,
  );
}

async function runQuery(
  source: RecordSource,
  query: RecordQuery,
  subject: Subject,
  signal: AbortSignal,
): Promise<RecordResource[]> {
  const rows: RecordResource[] = [];
  for await (const page of source.search(query, subject.id, signal)) {
    for (const resource of page) if (belongs(resource, query, subject)) rows.push(resource);
  }
  return rows;
}

/** Medications that orders of the record refer to on the same server, each read once. What is not found stays unresolved. */
async function fetchMedications(
  { source, subject, signal }: GatherRequest,
  resources: readonly RecordResource[],
): Promise<Medication[]> {
  const ids = new Set<string>();
  for (const resource of resources) {
    if (resource.resourceType !== 'MedicationRequest') continue;
    const local = localReference(resource.medicationReference?.reference, subject);
    if (local !== undefined && (local.type === undefined || local.type === 'Medication')) ids.add(local.id);
  }
  const jobs = [...ids].map((id) => (stop: AbortSignal) => source.read('Medication', id, stop));
  const found = await bounded(parallelRequests, jobs, signal);
  return found.filter((resource) => resource?.resourceType === 'Medication');
}

/** What the server holds under the ids of seeds that no query returned. Throws SUBJECT_FOREIGN. */
async function fetchHeldSeeds(
  { source, subject, signal }: GatherRequest,
  seeds: readonly RecordSeed[],
): Promise<RecordResource[]> {
  const jobs = seeds.map((seed) => async (stop: AbortSignal) => {
    const held = await source.read(seed.resource.resourceType, seed.resource.id ?? '', stop);
    if (held !== undefined && ownership(held, subject) === 'foreign') {
      throw foreignSeed(seed, `has the id of one at ${source.base} that belongs to another patient`, subject);
    }
    return held;
  });
  const found = await bounded(parallelRequests, jobs, signal);
  return found.filter((resource) => resource !== undefined && isRecordResource(resource));
}

/** False for a Group of other people, which a server that ignores `member` gives; throws for rows of another patient. */
function belongs(resource: Resource, query: RecordQuery, subject: Subject): resource is RecordResource {
  if (!isRecordResource(resource)) return false;
  const owned = ownership(resource, subject);
  if (owned === 'subject') return true;
  if (resource.resourceType === 'Group') {
    if (owned === 'foreign' || (resource.quantity ?? 0) === 0) return false;
    throw wrongAnswer(subject, query.type, 'answered with a Group whose members it does not list');
  }
  throw wrongAnswer(
    subject,
    query.type,
    owned === 'foreign'
      ? 'answered with resources of another patient'
      : 'answered with a resource that does not name its patient',
  );
}

function wrongAnswer(subject: Subject, type: string, happened: string): PredictionError {
  const message = `The FHIR server ${subject.base} ${happened} (search ${type}). Nothing of the answer is used; check that the server supports this search.`;
  return new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'transient', message }] });
}

/**
 * Two pages, or two searches, may hold the same resource; the later version of it counts. Throws RECORD_UNREACHABLE for
 * two that differ where nothing says which is the later one.
 */
function keepNewest(entries: Map<string, RecordEntry>, resource: RecordResource, subject: Subject): void {
  const kept = entries.get(keyOf(resource))?.resource;
  if (kept !== undefined) {
    const laterMs = Date.parse(resource.meta?.lastUpdated ?? '') - Date.parse(kept.meta?.lastUpdated ?? '');
    if (!(laterMs > 0 || laterMs < 0) && !sameContent(kept, resource)) {
      const what = 'answered with two versions of one resource and does not say which is the later one';
      throw wrongAnswer(subject, resource.resourceType, what);
    }
    if (!(laterMs > 0)) return;
  }
  entries.set(keyOf(resource), { resource, from: 'source' });
}

function keyOf({ resourceType, id }: Resource): string {
  return `${resourceType}/${id}`;
}

/** Adds what only the caller holds. @returns the seeds without an id */
function addSeeds(entries: Map<string, RecordEntry>, seeds: readonly RecordSeed[], base: string): RecordEntry[] {
  const anonymous: RecordEntry[] = [];
  for (const seed of seeds) {
    const { resource } = seed;
    const entry: RecordEntry = { resource, from: 'caller' };
    if (resource.id === undefined) {
      anonymous.push(entry);
      continue;
    }
    const held = entries.get(keyOf(resource));
    if (held === undefined) entries.set(keyOf(resource), entry);
    else if (!sameContent(held.resource, resource)) throw seedConflict(seed, base);
  }
  return anonymous;
}
