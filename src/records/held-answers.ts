import type { Patient, Resource } from '@medplum/fhirtypes';
import { isReferredType } from '../fhir/referred-types.ts';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import { PredictionError } from '../platform/errors.ts';
import { foreignSeed, isRecordResource, ownership, type Seed, sameContent, seedConflict } from './check-seeds.ts';
import type { BegunSearch } from './record-source.ts';
import { endsAfter, windowStart } from './search-window.ts';
import type { Subject } from './subject.ts';

/** Answers that were handed over with a call, in the place of those of a server. */
export interface HeldAnswers {
  /** Absent where the patient was not answered; with `found` absent where there is none. */
  readonly patient?: { readonly found?: Patient };
  /** The matches by key of the query; a query that is not there was not answered. */
  readonly rows: ReadonlyMap<string, readonly Resource[]>;
  /** Every resource that has an id, by `Type/id`. */
  readonly resources: ReadonlyMap<string, Resource>;
}

/** Key of the answer that holds the Patient, beside those of the queries. */
const patientKey = 'patient';

type Answers = ReadonlyMap<string, readonly Seed[]>;
/** Throws where the resource breaks base R4. */
type Validate = (resource: Resource, expression: string) => void;

/**
 * Reads answers as a server's answers are read: each resource must be base R4, have an id and be the subject's own; one
 * beside the matches (an included Medication or Endpoint) is found by its id; what ended before the query's window is left out.
 * Throws RESOURCE_INVALID, SUBJECT_FOREIGN for what belongs to another patient or names none, and SEED_CONFLICT for two
 * of these of one id.
 */
export async function readAnswers(
  answers: Answers,
  queries: readonly RecordQuery[],
  subject: Subject,
  validate: Validate,
): Promise<HeldAnswers> {
  const resources = new Map<string, Resource>();
  for (const seed of await checked(answers, subject, validate)) {
    const { resourceType, id } = seed.resource;
    if (id === undefined) throw withoutId(seed);
    const name = `${resourceType}/${id}`;
    const held = resources.get(name);
    // Matches come in versions, of which the record takes the later one; what they refer to is found by its id alone.
    if (isReferredType(resourceType) && held !== undefined && !sameContent(held, seed.resource)) {
      throw seedConflict(seed, 'another place of the call');
    }
    resources.set(name, seed.resource);
  }
  const rows = new Map<string, Resource[]>();
  for (const query of queries) {
    const seeds = answers.get(query.key);
    if (seeds === undefined) continue;
    rows.set(query.key, inWindow(matchesOf(seeds, query), query));
  }
  const patients = answers.get(patientKey);
  const found = patients?.map(({ resource }) => resource).find((resource) => resource.resourceType === 'Patient');
  return { ...(patients === undefined ? {} : { patient: { ...(found && { found }) } }), rows, resources };
}

/**
 * Reads first pages as whole answers are read. What was included in them is left to the server.
 * Throws RESOURCE_INVALID and SUBJECT_FOREIGN.
 */
export async function readBegun(
  begun: ReadonlyMap<string, Pick<BegunSearch, 'next' | 'total'> & { readonly seeds: readonly Seed[] }>,
  queries: readonly RecordQuery[],
  subject: Subject,
  validate: Validate,
): Promise<ReadonlyMap<string, BegunSearch>> {
  const searches = new Map<string, BegunSearch>();
  for (const query of queries) {
    const page = begun.get(query.key);
    if (page === undefined) continue;
    const { seeds, next, total } = page;
    const ids = new Set<string>();
    for (const seed of await checked(new Map([[query.key, seeds]]), subject, validate)) {
      const { resourceType, id } = seed.resource;
      if (id === undefined) throw withoutId(seed);
      if (resourceType === query.type) ids.add(id);
    }
    const rows = inWindow(matchesOf(seeds, query), query);
    searches.set(query.key, { rows, ids, next, ...(total === undefined ? {} : { total }) });
  }
  return searches;
}

function matchesOf(seeds: readonly Seed[], { type }: RecordQuery): Resource[] {
  return seeds.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === type);
}

function inWindow(matches: Resource[], query: RecordQuery): Resource[] {
  const from = windowStart(query);
  return from === undefined ? matches : matches.filter((resource) => endsAfter(resource, from));
}

/**
 * Answers as what the caller of a prediction holds: whatever a model could use, with or without an id.
 * Throws as `readAnswers`.
 */
export async function answersAsSeeds(answers: Answers, subject: Subject, validate: Validate): Promise<Seed[]> {
  return (await checked(answers, subject, validate)).filter(
    ({ resource }) =>
      isRecordResource(resource) && (resource.resourceType !== 'Group' || ownership(resource, subject) !== 'foreign'),
  );
}

/** Other work of the process comes in between: a call may hold thousands of resources. */
async function checked(answers: Answers, subject: Subject, validate: Validate): Promise<Seed[]> {
  const seeds = [...answers.values()].flat();
  let sinceMs = performance.now();
  for (const seed of seeds) {
    validate(seed.resource, seed.expression);
    refuseForeign(seed, subject);
    if (performance.now() - sinceMs < longestTurnMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sinceMs = performance.now();
  }
  return seeds;
}

const longestTurnMs = 4;

/** A Group of other people is no error: a server that ignores `member` gives it. */
function refuseForeign(seed: Seed, subject: Subject): void {
  if (seed.resource.resourceType === 'Group') return;
  const owned = ownership(seed.resource, subject);
  if (owned === 'foreign') throw foreignSeed(seed, 'belongs to another patient than the subject', subject);
  if (owned === 'unnamed') throw foreignSeed(seed, 'names no patient', subject);
}

function withoutId({ resource, expression }: Seed): PredictionError {
  const message = `The ${resource.resourceType} at ${expression} has no id. Send it as its server holds it.`;
  return new PredictionError('RESOURCE_INVALID', message, { issues: [{ code: 'required', message, expression }] });
}
