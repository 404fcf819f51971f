import type { Encounter, Resource } from '@medplum/fhirtypes';
import { isFhirId } from '../fhir/reference.ts';
import { isReferredType } from '../fhir/referred-types.ts';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import { PredictionError } from '../platform/errors.ts';
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
import { fitEncounter } from './fit-encounter.ts';
import { placeOf } from './place-of.ts';
import { readRecords } from './read-records.ts';
import type { ReadRecords, RecordReader, RecordSource } from './record-source.ts';
import { referredNames } from './referred-names.ts';
import type { Subject } from './subject.ts';

export interface GatherRequest {
  readonly source: RecordSource | RecordReader;
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
  if (!isFhirId(subject.id)) throw subjectUnknown(subject, source);
  const seeds = checkSeeds(request.seed, subject);
  const also = source.heldByCaller === true ? [] : namesBeside(request, seeds, subject);
  const wanted = { subjects: [subject.id], queries: request.queries, also };
  const read = await readRecords(source, wanted, request.signal);
  return recordOf({ ...request, subject }, seeds, read);
}

/** What is to be read beside the queries. A record that only the caller holds is read whole anyway. */
function namesBeside({ encounter }: GatherRequest, seeds: readonly RecordSeed[], subject: Subject): string[] {
  const names = new Set<string>();
  if (encounter !== undefined) names.add(`Encounter/${encounter}`);
  const patient = `Patient/${subject.id}`;
  for (const { name } of seeds) if (name !== undefined && name !== patient) names.add(name);
  for (const name of referredNames(resourcesOf(seeds), subject)) names.add(name);
  return [...names];
}

function resourcesOf(held: Iterable<{ readonly resource: RecordResource }>): RecordResource[] {
  const resources: RecordResource[] = [];
  for (const { resource } of held) resources.push(resource);
  return resources;
}

/** The record of what was read and what the caller holds beside it. */
function recordOf(request: GatherRequest, seeds: readonly RecordSeed[], read: ReadRecords): ClinicalRecord {
  const { source, subject, asOf } = request;
  const { patient, rows } = read.subjects.get(subject.id) ?? { rows: [] };
  if (patient === undefined) throw subjectUnknown(subject, source);
  const from = source.heldByCaller === true ? 'caller' : 'source';
  const entries = new Map<string, RecordEntry>();
  const keep = (resource: RecordResource) => keepNewest(entries, resource, from, subject);
  keep(patient);
  for (const resource of rows) if (belongs(resource, subject)) keep(resource);
  if (request.encounter !== undefined) {
    const found = read.others.get(`Encounter/${request.encounter}`);
    keep(fitEncounter(found, request.encounter, source, subject, asOf));
  }
  const referring = [...resourcesOf(entries.values()), ...resourcesOf(seeds)];
  for (const name of referredNames(referring, subject)) {
    const found = read.others.get(name);
    if (found !== undefined && isReferredType(found.resourceType) && isRecordResource(found)) keep(found);
  }
  for (const seed of seeds) {
    const resource = seed.name === undefined ? undefined : read.others.get(seed.name);
    if (resource === undefined || resource === seed.resource || !isRecordResource(resource)) continue;
    if (!entries.has(keyOf(resource)) && ownership(resource, subject) === 'foreign') {
      throw foreignSeed(seed, `has the id of one ${placeOf(source)} that belongs to another patient`, subject);
    }
    keep(resource);
  }
  const withoutId = addSeeds(entries, seeds, placeOf(source));
  const encounter = request.encounter === undefined ? undefined : entries.get(`Encounter/${request.encounter}`);
  return clinicalRecord({
    subject,
    own: source.own,
    asOf,
    patient,
    encounter: encounter?.resource as Encounter | undefined,
    entries: inOrderOfId(entries).concat(withoutId),
  });
}

/** By type and id, for no server's order may show in a result. */
function inOrderOfId(entries: ReadonlyMap<string, RecordEntry>): RecordEntry[] {
  const ordered: RecordEntry[] = [];
  for (const name of [...entries.keys()].sort((left, right) => (left < right ? -1 : 1))) {
    const entry = entries.get(name);
    if (entry !== undefined) ordered.push(entry);
  }
  return ordered;
}

function subjectUnknown({ id }: Subject, source: RecordReader | RecordSource): PredictionError {
  const wayOut =
    source.heldByCaller === true
      ? 'Send the Patient with the id that the call names; nobody else is asked.'
      : 'Send the logical id that the patient has on that server.';
  return new PredictionError('SUBJECT_UNKNOWN', `There is no Patient/${id} ${placeOf(source)}. ${wayOut}`);
}

/** False for a Group of other people, which a server that ignores `member` gives; throws for rows of another patient. */
function belongs(resource: Resource, subject: Subject): resource is RecordResource {
  if (!isRecordResource(resource)) return false;
  const owned = ownership(resource, subject);
  if (owned === 'subject') return true;
  if (resource.resourceType === 'Group') {
    if (owned === 'foreign' || (resource.quantity ?? 0) === 0) return false;
    throw wrongAnswer(subject, resource.resourceType, 'answered with a Group whose members it does not list');
  }
  throw wrongAnswer(
    subject,
    resource.resourceType,
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
function keepNewest(
  entries: Map<string, RecordEntry>,
  resource: RecordResource,
  from: RecordEntry['from'],
  subject: Subject,
): void {
  const key = keyOf(resource);
  const kept = entries.get(key)?.resource;
  if (kept === resource) return;
  if (kept !== undefined) {
    const laterMs = Date.parse(resource.meta?.lastUpdated ?? '') - Date.parse(kept.meta?.lastUpdated ?? '');
    if (!(laterMs > 0 || laterMs < 0) && !sameContent(kept, resource)) {
      const what = 'answered with two versions of one resource and does not say which is the later one';
      throw wrongAnswer(subject, resource.resourceType, what);
    }
    if (!(laterMs > 0)) return;
  }
  entries.set(key, { resource, from });
}

function keyOf({ resourceType, id }: Resource): string {
  return `${resourceType}/${id}`;
}

/** Adds what only the caller holds. @returns the seeds without an id */
function addSeeds(entries: Map<string, RecordEntry>, seeds: readonly RecordSeed[], place: string): RecordEntry[] {
  const anonymous: RecordEntry[] = [];
  for (const seed of seeds) {
    const { resource } = seed;
    const entry: RecordEntry = { resource, from: 'caller' };
    if (seed.name === undefined) {
      anonymous.push(entry);
      continue;
    }
    const held = entries.get(seed.name);
    if (held === undefined) entries.set(seed.name, entry);
    else if (held.resource !== resource && !sameContent(held.resource, resource)) throw seedConflict(seed, place);
  }
  return anonymous;
}
