import type { Appointment, Resource } from '@medplum/fhirtypes';
import { isReferredType } from '../fhir/referred-types.ts';
import { PredictionError } from '../platform/errors.ts';
import { type RecordResource, recordTypes } from './clinical-record.ts';
import { isSubject, type Subject } from './subject.ts';

/** A resource the caller already holds. */
export interface Seed {
  readonly resource: Resource;
  /** Where it stands in what the caller sent, e.g. `Parameters.parameter[3].resource`. */
  readonly expression: string;
}

/** A seed that the path can use. */
export interface RecordSeed extends Seed {
  readonly resource: RecordResource;
  /** `Type/id`; absent where it has no id. */
  readonly name?: string;
}

/**
 * The seeds, each once: without an id, those that are equal are one thing that was sent twice, and counted once. Throws
 * SUBJECT_FOREIGN for one that is not the subject's own, of whatever type, PARAMETER_INVALID for one that no model could
 * use, and SEED_CONFLICT for two that say different things under one id.
 */
export function checkSeeds(seeds: readonly Seed[], subject: Subject): RecordSeed[] {
  for (const seed of seeds) checkOwner(seed, subject);
  const byName = new Map<string, Seed>();
  const contents = new Set<string>();
  const usable: RecordSeed[] = [];
  for (const seed of seeds) {
    const { resource, expression } = seed;
    if (!isRecordResource(resource)) throw useless(seed);
    if (resource.id === undefined) {
      const content = contentText(resource);
      if (!contents.has(content)) usable.push({ resource, expression });
      contents.add(content);
      continue;
    }
    const name = `${resource.resourceType}/${resource.id}`;
    const earlier = byName.get(name);
    if (earlier !== undefined && !sameContent(earlier.resource, resource))
      throw seedConflict(seed, `at ${earlier.expression}`);
    if (earlier !== undefined) continue;
    byName.set(name, seed);
    usable.push({ resource, expression, name });
  }
  return usable;
}

/** Equal but for meta, which is the server's business, and for the spelling of numbers. */
export function sameContent(left: Resource, right: Resource): boolean {
  return same({ ...left, meta: undefined }, { ...right, meta: undefined });
}

/** The same text for all that says the same, in whatever order. */
function contentText(resource: Resource): string {
  return JSON.stringify(resource, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}

function same(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return left === right;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => same(property(left, key), property(right, key)));
}

/** @param other where the contradicting one comes from, e.g. `at http:…` */
export function seedConflict({ resource, expression }: Seed, other: string): PredictionError {
  const message = `The ${resource.resourceType} at ${expression} differs from the one with the same id ${other}. Send what the server holds, leave the resource out, or leave out its id.`;
  return new PredictionError('SEED_CONFLICT', message, { issues: [{ message, expression }] });
}

const usedTypes: ReadonlySet<string> = new Set(recordTypes);

export function isRecordResource(resource: Resource): resource is RecordResource {
  return usedTypes.has(resource.resourceType);
}

function useless({ resource, expression }: Seed): PredictionError {
  const message = `The ${resource.resourceType} at ${expression} would not be looked at: used are ${recordTypes.join(', ')}. Leave it out.`;
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'not-supported', message, expression }],
  });
}

/** @param what the rest of a sentence that begins with the seed */
export function foreignSeed({ resource, expression }: Seed, what: string, subject: Subject): PredictionError {
  const message = `The ${resource.resourceType} at ${expression} ${what}. Send only resources of the subject, each with a reference to Patient/${subject.id}.`;
  return new PredictionError('SUBJECT_FOREIGN', message, { issues: [{ message, expression }] });
}

function checkOwner(seed: Seed, subject: Subject): void {
  const owned = ownership(seed.resource, subject);
  if (owned === 'subject' || owned === 'nobody') return;
  const what = owned === 'unnamed' ? 'names no patient' : 'belongs to another patient than the subject';
  throw foreignSeed(seed, what, subject);
}

/** `nobody`: a resource that describes no patient, such as a Medication, an Endpoint or an Organization. */
export function ownership(resource: Resource, subject: Subject): 'subject' | 'foreign' | 'unnamed' | 'nobody' {
  const { resourceType } = resource;
  if (isReferredType(resourceType)) return 'nobody';
  if (resourceType === 'Patient') return resource.id === subject.id ? 'subject' : 'foreign';
  if (resourceType === 'Group') {
    const members = resource.member ?? [];
    if (members.length === 0) return 'unnamed';
    return members.some(({ entity }) => isSubject(entity?.reference, subject)) ? 'subject' : 'foreign';
  }
  if (resourceType === 'Appointment') return ownedByParticipants(resource, subject);
  const { subject: owner, patient } = resource as { readonly subject?: unknown; readonly patient?: unknown };
  if (owner === undefined && patient === undefined) return isRecordResource(resource) ? 'unnamed' : 'nobody';
  if (patient === undefined) return ownedBy(owner, subject);
  const byPatient = ownedBy(patient, subject);
  if (owner === undefined || byPatient === 'foreign') return byPatient;
  const byOwner = ownedBy(owner, subject);
  return byOwner === 'subject' ? byPatient : byOwner;
}

/** An appointment is the subject's own where the subject takes part, whoever else does. */
function ownedByParticipants({ participant }: Appointment, subject: Subject): 'subject' | 'foreign' | 'unnamed' {
  // From a caller that need not keep to the specification.
  const actors = (Array.isArray(participant) ? participant : []).map((one: unknown) => property(one, 'actor'));
  if (actors.some((actor) => ownedBy(actor, subject) === 'subject')) return 'subject';
  const isPatient = (actor: unknown): boolean => /(^|\/)Patient\//.test(String(property(actor, 'reference') ?? ''));
  return actors.some(isPatient) ? 'foreign' : 'unnamed';
}

function ownedBy(owner: unknown, subject: Subject): 'subject' | 'foreign' | 'unnamed' {
  const reference = property(owner, 'reference');
  if (typeof reference !== 'string') return 'unnamed';
  return isSubject(reference, subject) ? 'subject' : 'foreign';
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
