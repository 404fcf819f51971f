import type { Encounter, Medication, Patient, Resource } from '@medplum/fhirtypes';
import { isFhirId } from '../fhir/reference.ts';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import { PredictionError } from '../platform/errors.ts';
import { bounded } from './bounded.ts';
import { checkSeeds, isRecordResource, ownership, type Seed, sameContent, seedConflict } from './check-seeds.ts';
import { type ClinicalRecord, clinicalRecord, type RecordEntry, type RecordResource } from './clinical-record.ts';
import { localReference } from './local-reference.ts';
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
 * Step 1 of the path: everything the queries ask for about one subject, or an error; never a part of it.
 * Throws SUBJECT_UNKNOWN, SUBJECT_FOREIGN, SEED_CONFLICT, RESOURCE_UNKNOWN (the encounter), RECORD_UNREACHABLE.
 */
export async function gatherRecord(request: GatherRequest): Promise<ClinicalRecord> {
  const { source, subject, asOf } = request;
  if (subject.base !== source.base) {
    throw new PredictionError('INTERNAL', `A subject of ${subject.base} was to be read from ${source.base}.`);
  }
  const seeds = checkSeeds(request.seed, subject);
  const { patient, rows } = await fetchRecord(request);
  const medications = await fetchMedications(request, [...rows, ...seeds.map(({ resource }) => resource)]);
  const entries = new Map<string, RecordEntry>();
  for (const resource of [patient, ...rows, ...medications]) keepNewest(entries, resource);
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
  const { source, subject, queries, encounter } = request;
  if (!isFhirId(subject.id)) throw subjectUnknown(subject);
  // One failed search makes the others useless, and a caller who gave up needs none of them.
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  const jobs = queries.map((query) => () => runQuery(source, query, subject, signal));
  if (encounter !== undefined) jobs.unshift(async () => [await readEncounter(source, subject, encounter, signal)]);
  // The patient is one of the requests. Whether there is one decides first, for a server may answer a search about
  // an unknown patient with an error.
  const searches = bounded(parallelRequests - 1, jobs).then(
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
    const local = localReference(resource.medicationReference?.reference, subject.base);
    if (local !== undefined && (local.type === undefined || local.type === 'Medication')) ids.add(local.id);
  }
  const jobs = [...ids].map((id) => () => source.read('Medication', id, signal));
  const found = await bounded(parallelRequests, jobs);
  return found.filter((resource) => resource?.resourceType === 'Medication');
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

async function readEncounter(
  source: RecordSource,
  subject: Subject,
  id: string,
  signal: AbortSignal,
): Promise<Encounter> {
  const encounter = await source.read('Encounter', id, signal);
  if (encounter?.resourceType !== 'Encounter') {
    throw new PredictionError(
      'RESOURCE_UNKNOWN',
      `There is no Encounter/${id} at ${source.base}. Send the logical id of an encounter of the subject, or none.`,
    );
  }
  if (ownership(encounter, subject) !== 'subject') {
    throw new PredictionError(
      'SUBJECT_FOREIGN',
      `Encounter/${id} at ${source.base} does not belong to Patient/${subject.id}. Send an encounter of the subject, or none.`,
    );
  }
  return encounter;
}

/** Two pages, or two searches, may hold the same resource; the later version of it counts. */
function keepNewest(entries: Map<string, RecordEntry>, resource: RecordResource): void {
  const key = `${resource.resourceType}/${resource.id}`;
  const kept = entries.get(key)?.resource.meta?.lastUpdated;
  if (kept !== undefined && Date.parse(resource.meta?.lastUpdated ?? '') <= Date.parse(kept)) return;
  entries.set(key, { resource, from: 'source' });
}

/** Adds what only the caller holds. @returns the seeds without an id */
function addSeeds(
  entries: Map<string, RecordEntry>,
  seeds: readonly { resource: RecordResource; expression: string }[],
  base: string,
): RecordEntry[] {
  const anonymous: RecordEntry[] = [];
  for (const seed of seeds) {
    const { resource } = seed;
    const entry: RecordEntry = { resource, from: 'caller' };
    if (resource.id === undefined) {
      anonymous.push(entry);
      continue;
    }
    const key = `${resource.resourceType}/${resource.id}`;
    const held = entries.get(key);
    if (held === undefined) entries.set(key, entry);
    else if (!sameContent(held.resource, resource)) throw seedConflict(seed, base);
  }
  return anonymous;
}
