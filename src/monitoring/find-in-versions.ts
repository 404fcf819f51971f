import type { Database } from '../platform/database.ts';
import type { ForgottenSubject } from './forget-subject.ts';

/** What the FHIR store knows of its resources, and runs of their cohorts, and this folder does not. */
export interface StoreReading {
  /** What made the cohort of a run, if a search did; or `sealed` where its key is not here. */
  readonly searchOf: (run: { readonly id: string; readonly keptCohort: string }) => string | undefined;
  /** Whom a resource is about, as the store finds it by patient. */
  readonly patientsOf: (resource: object) => readonly string[];
  /** The one form in which references are compared: `Patient/17`, or an absolute URL without its version. */
  readonly canonical: (reference: string) => string | undefined;
}

export interface ResourceName {
  readonly type: string;
  readonly id: string;
}

/** What the versions of the own store tell of a subject. */
export interface FoundInVersions {
  /** Resources of which any version is about the subject, and the Provenance of those. */
  readonly about: readonly ResourceName[];
  /** Versions that name or hold the subject and stay, by type: documents, Groups, what the subject only took part in. */
  readonly mentions: ReadonlyMap<string, number>;
  /** Identifiers and names of the subject, each as its versions write them. */
  readonly knownBy: ReadonlySet<string>;
}

const versionsPerPage = 1_000;

/**
 * Looks through all versions of the own store, in pages and behind all other work: what was deleted only they know, and no
 * statement takes long however large the store is.
 */
export async function findInVersions(
  database: Database,
  subject: ForgottenSubject,
  reading: StoreReading,
): Promise<FoundInVersions> {
  const about = new Map<string, ResourceName>();
  const mentions: ResourceName[] = [];
  const knownBy = new Set<string>();
  const isNamed = (reference: string): boolean => subject.references.includes(reading.canonical(reference) ?? '');
  const itself = (type: unknown, id: unknown): boolean => type === 'Patient' && isNamed(`${type}/${String(id)}`);
  for await (const { type, id, body } of pages(database, subject, namedIn(subject))) {
    const resource = JSON.parse(body) as Json;
    const isItself = itself(type, id);
    const isAbout = type !== 'Group' && reading.patientsOf(resource).some((one) => subject.references.includes(one));
    if (isItself) for (const word of wordsOf(resource)) knownBy.add(word);
    if (isItself || isAbout) about.set(`${type}/${id}`, { type, id });
    else if (holds(resource, isNamed, itself)) mentions.push({ type, id });
  }
  const target = { column: `body->'target'->0->>'reference'`, where: '$5::text = type', value: 'Provenance' };
  for await (const { type, id, body } of pages(database, subject, target))
    if (about.has(reading.canonical(body) ?? '')) about.set(`${type}/${id}`, { type, id });
  const stay = mentions.filter(({ type, id }) => !about.has(`${type}/${id}`)).map(({ type }) => type);
  return { about: [...about.values()], mentions: counted(stay), knownBy };
}

type Json = Record<string, unknown>;

interface Looked {
  /** What is read of a version. */
  readonly column: string;
  /** Of which versions it is read; `$5` is `value`. */
  readonly where: string;
  readonly value: unknown;
}

/** Wherever the text of a version can name the subject: most versions are never sent. */
function namedIn({ id }: ForgottenSubject): Looked {
  const spellings = [`Patient/${id}"`, `Patient/${id}/_history/`, `:${id}"`, `"id":"${id}"`];
  const where = 'exists (select 1 from unnest($5::text[]) as spelling where strpos(body::text, spelling) > 0)';
  return { column: 'body::text', where, value: spellings };
}

/** Of all versions by type, id and version, those of which `where` holds and something is there. */
async function* pages(
  database: Database,
  { tenant }: ForgottenSubject,
  { column, where, value }: Looked,
): AsyncGenerator<ResourceName & { readonly body: string }> {
  let after = { type: '', id: '', version: 0 };
  for (let read = versionsPerPage; read === versionsPerPage; ) {
    const { rows } = await database.background.query<ResourceName & { version: number; body: string | null }>(
      `select type, id, version, case when ${where} then ${column} end as body
         from (select type, id, version, body from resource_versions
                where tenant = $1 and (type, id, version) > ($2, $3, $4::int)
                order by type, id, version limit ${versionsPerPage}) page
        order by type, id, version`,
      [tenant, after.type, after.id, after.version, value],
    );
    for (const { type, id, body } of rows) if (body !== null) yield { type, id, body };
    read = rows.length;
    after = rows.at(-1) ?? after;
  }
}

/** True where any text below is a reference to the subject, or any resource below is the Patient. */
function holds(
  value: unknown,
  isNamed: (reference: string) => boolean,
  isItself: (type: unknown, id: unknown) => boolean,
): boolean {
  if (typeof value === 'string') return value.includes('/') || value.includes(':') ? isNamed(value) : false;
  if (typeof value !== 'object' || value === null) return false;
  const { resourceType, id } = value as Json;
  return isItself(resourceType, id) || Object.values(value).some((below) => holds(below, isNamed, isItself));
}

/** Identifiers and names of a Patient. */
function wordsOf({ identifier, name }: Json): string[] {
  const identifiers = listOf(identifier).map(({ value }) => value);
  const names = listOf(name).flatMap(({ family, given }) => [family, ...(Array.isArray(given) ? given : [])]);
  return [...identifiers, ...names].filter((word): word is string => typeof word === 'string' && word !== '');
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

function counted(types: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
