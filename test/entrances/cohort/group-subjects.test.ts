import type { Group, GroupMember } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { groupSubjects } from '../../../src/entrances/cohort/group-subjects.ts';

const context = {
  bases: ['http://ehr.example.org/fhir'],
  timeZone: 'Europe/Berlin',
  asOf: new Date('2026-11-22T12:00:00Z'),
};

function group(member: GroupMember[], changes: Partial<Group> = {}): Group {
  return { resourceType: 'Group', id: 'g1', type: 'person', actual: true, member, ...changes };
}

const named = (reference: string, changes: Partial<GroupMember> = {}): GroupMember =>
  ({ entity: { reference }, ...changes }) as GroupMember;

describe('the members of a Group', () => {
  it('are its Patients, however the reference to this source is written', () => {
    const members = ['Patient/1', 'http://ehr.example.org/fhir/Patient/2', 'Patient/3/_history/4', 'urn:uuid:5'];
    expect(groupSubjects(group(members.map((one) => named(one))), context)).toEqual([
      { subject: '1' },
      { subject: '2' },
      { subject: '3' },
      { subject: '5' },
    ]);
  });

  it.each(['http://elsewhere.example.org/fhir/Patient/1', 'Practitioner/1', 'Patient/bad id', '#contained'])(
    'fail by themselves where they are no Patient of this source: %s is never the local Patient/1',
    (reference) => {
      const [found] = groupSubjects(group([named(reference)]), context);
      expect(found).toMatchObject({ subject: reference, error: { code: 'SUBJECT_FOREIGN' } });
    },
  );

  it('fail by themselves where they name nobody by a reference', () => {
    const [found] = groupSubjects(group([{ entity: { display: 'somebody' } } as GroupMember]), context);
    expect(found).toMatchObject({ subject: 'Group.member[0]', error: { code: 'SUBJECT_FOREIGN' } });
  });

  it('are those of as-of: not the inactive, nor those who left before or come after', () => {
    const members = [
      named('Patient/active', { inactive: false }),
      named('Patient/inactive', { inactive: true }),
      named('Patient/left', { period: { end: '2026-11-21' } }),
      named('Patient/leaves-today', { period: { start: '2026-01-01', end: '2026-11-22' } }),
      named('Patient/comes', { period: { start: '2026-11-23' } }),
    ];
    expect(groupSubjects(group(members), context).map(({ subject }) => subject)).toEqual(['active', 'leaves-today']);
  });

  it('are nobody where it lists nobody', () => {
    expect(groupSubjects({ resourceType: 'Group', id: 'g1', type: 'person', actual: true }, context)).toEqual([]);
  });

  it.each([
    ['lists fewer than it says it has', { quantity: 3 }, 'says that it has 3 members and lists 1'],
    ['is a description, not a list', { actual: false }, 'is no list of actual persons'],
    ['is of devices', { type: 'device' as const }, 'is no list of actual persons'],
  ])('are refused where the Group %s', (_what, changes, says) => {
    expect(() => groupSubjects(group([named('Patient/1')], changes), context)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', message: expect.stringContaining(says) }),
    );
  });
});
