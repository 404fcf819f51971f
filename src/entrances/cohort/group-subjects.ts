import type { Group } from '@medplum/fhirtypes';
import { instantRange } from '../../fhir/instant-range.ts';
import { belowBase, canonicalReference, parseRelativeReference } from '../../fhir/reference.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { FoundSubject } from '../../runs/member-table.ts';

const longestReference = 200;

export interface GroupContext {
  /** Bases whose references are the record source's own. */
  readonly bases: readonly string[];
  readonly timeZone: string;
  readonly asOf: Date;
}

type Given = Readonly<Record<string, unknown>>;

/**
 * The members of a Group as of an instant. One that is inactive, or was a member at another time, is none. One that is
 * no Patient of this source, or cannot be read, fails by itself, under a name that no patient can have.
 * Throws PARAMETER_INVALID for a Group that lists no persons, or not all of them.
 * @param group as a server gave it: nothing of its shape is certain
 */
export function groupSubjects(group: Group, { bases, timeZone, asOf }: GroupContext): FoundSubject[] {
  const { member: members = [], quantity } = group as { member?: unknown; quantity?: unknown };
  const name = `Group/${group.id}`;
  if (group.actual !== true || group.type !== 'person')
    throw invalid(`${name} is no list of actual persons (type person, actual true); name one that is.`);
  if (!Array.isArray(members) || !(quantity === undefined || typeof quantity === 'number'))
    throw invalid(`${name} is no Group of FHIR R4: member must be a list, and quantity a number. Correct it.`);
  if (quantity !== undefined && quantity > members.length)
    throw invalid(
      `${name} says that it has ${quantity} members and lists ${members.length}: a run over a part of it is refused. List all members, or correct quantity.`,
    );
  return members.flatMap((member: unknown, index) => {
    const place = `Group.member[${index}]`;
    const failed = (code: string, says: string): FoundSubject[] => [
      { subject: shownName(place, member), error: { code, message: `Member ${index} of ${name} ${says}` } },
    ];
    if (!isObject(member) || !['undefined', 'boolean'].includes(typeof member.inactive))
      return failed('RESOURCE_INVALID', 'is no member of a Group of FHIR R4. Correct it.');
    if (member.inactive === true) return [];
    const here = isMemberAt(member.period, asOf, timeZone);
    if (here === undefined)
      return failed('RESOURCE_INVALID', 'has a period that cannot be read: whether it is one now is unknown.');
    if (!here) return [];
    const subject = patientId(member, bases);
    return subject === undefined ? failed('SUBJECT_FOREIGN', 'is no Patient of the record source.') : [{ subject }];
  });
}

function patientId(member: Given, bases: readonly string[]): string | undefined {
  const reference = referenceOf(member);
  if (reference === undefined) return undefined;
  const [local = reference] = bases.flatMap((base) => belowBase(reference, base) ?? []);
  const named = parseRelativeReference(canonicalReference(local, '', 'Patient') ?? '');
  return named?.type === 'Patient' ? named.id : undefined;
}

/** A place and what stands there, with characters that no id has. */
function shownName(place: string, member: unknown): string {
  const reference = isObject(member) ? referenceOf(member) : undefined;
  return reference === undefined ? place : `${place} (${reference.slice(0, longestReference)})`;
}

function referenceOf({ entity }: Given): string | undefined {
  const reference = isObject(entity) ? entity.reference : undefined;
  return typeof reference === 'string' ? reference : undefined;
}

/** Undefined where that cannot be told. */
function isMemberAt(period: unknown, asOf: Date, timeZone: string): boolean | undefined {
  if (period === undefined) return true;
  if (!isObject(period)) return undefined;
  const [start, end] = [period.start, period.end].map((value) =>
    typeof value === 'string' ? instantRange(value, timeZone) : undefined,
  );
  if ((period.start !== undefined && start === undefined) || (period.end !== undefined && end === undefined))
    return undefined;
  if (start !== undefined && start.start > asOf.getTime()) return false;
  return end === undefined || end.end > asOf.getTime();
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'business-rule', message, expression: 'cohort.group' }],
  });
}
