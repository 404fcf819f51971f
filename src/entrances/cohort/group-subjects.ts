import type { Group, GroupMember } from '@medplum/fhirtypes';
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

/**
 * The members of a Group as of an instant. One that is inactive, or was a member at another time, is none. One that is
 * no Patient of this source fails by itself: it is somebody else than the local patient with the same id.
 * Throws PARAMETER_INVALID for a Group that lists no persons, or not all of them.
 */
export function groupSubjects(group: Group, { bases, timeZone, asOf }: GroupContext): FoundSubject[] {
  const members = group.member ?? [];
  if (group.actual !== true || group.type !== 'person')
    throw invalid(`Group/${group.id} is no list of actual persons (type person, actual true); name one that is.`);
  if (group.quantity !== undefined && group.quantity > members.length)
    throw invalid(
      `Group/${group.id} says that it has ${group.quantity} members and lists ${members.length}: a run over a part of it is refused. List all members, or correct quantity.`,
    );
  return members.flatMap((member, index) => {
    if (member.inactive === true || !isMemberAt(member, asOf, timeZone)) return [];
    const subject = patientId(member, bases);
    if (subject !== undefined) return [{ subject }];
    const shown = member.entity?.reference?.slice(0, longestReference) ?? `Group.member[${index}]`;
    const message = `Member ${index} of Group/${group.id} is no Patient of the record source.`;
    return [{ subject: shown, error: { code: 'SUBJECT_FOREIGN', message } }];
  });
}

function patientId({ entity }: GroupMember, bases: readonly string[]): string | undefined {
  const reference = entity?.reference;
  if (reference === undefined) return undefined;
  const [local = reference] = bases.flatMap((base) => belowBase(reference, base) ?? []);
  const named = parseRelativeReference(canonicalReference(local, '', 'Patient') ?? '');
  return named?.type === 'Patient' ? named.id : undefined;
}

function isMemberAt({ period }: GroupMember, asOf: Date, timeZone: string): boolean {
  const start = period?.start === undefined ? undefined : instantRange(period.start, timeZone);
  const end = period?.end === undefined ? undefined : instantRange(period.end, timeZone);
  if (start !== undefined && start.start > asOf.getTime()) return false;
  return end === undefined || end.end > asOf.getTime();
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'business-rule', message, expression: 'cohort.group' }],
  });
}
