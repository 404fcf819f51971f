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
      expect(found).toMatchObject({
        subject: `Group.member[0] (${reference})`,
        error: { code: 'SUBJECT_FOREIGN' },
      });
    },
  );

  it('fail by themselves where they name nobody by a reference', () => {
    const [found] = groupSubjects(group([{ entity: { display: 'somebody' } } as GroupMember]), context);
    expect(found).toMatchObject({ subject: 'Group.member[0]', error: { code: 'SUBJECT_FOREIGN' } });
  });

  it.each([
    ['null', null],
    ['a text', 'Patient/1'],
    ['nobody', {}],
    ['a number for a reference', { entity: { reference: 1 } }],
    ['null for an entity', { entity: null }],
    ['a text for inactive', { ...named('Patient/1'), inactive: 'true' }],
    ['a text for a period', { ...named('Patient/1'), period: '2026' }],
    ['a number in its period', { ...named('Patient/1'), period: { end: 2020 } }],
    ['a date that is none', { ...named('Patient/1'), period: { end: '31.12.2020' } }],
    ['null in its period', { ...named('Patient/1'), period: { start: null } }],
  ])(
    'fail by themselves where another server gives %s, and nobody is predicted about in their place',
    (_what, member) => {
      const [found, ...others] = groupSubjects(group([member as GroupMember, named('Patient/2')]), context);
      expect(found?.subject).toMatch(/^Group\.member\[0\]/);
      expect(found?.error?.code).toMatch(/^(RESOURCE_INVALID|SUBJECT_FOREIGN)$/);
      expect(others).toEqual([{ subject: '2' }]);
    },
  );

  it('never lose a patient to a bad reference that reads like its id', () => {
    const found = groupSubjects(group([named('17'), named('Patient/17')]), context);
    expect(found.map(({ subject }) => subject)).toEqual(['Group.member[0] (17)', '17']);
  });

  it('stay as many as they are where long references differ at their ends only', () => {
    const long = `http://elsewhere.example.org/${'x'.repeat(400)}/Patient`;
    const found = groupSubjects(group([named(`${long}/1`), named(`${long}/2`)]), context);
    expect(new Set(found.map(({ subject }) => subject)).size).toBe(2);
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
    ['has an object for a list', { member: {} as GroupMember[] }, 'member must be a list'],
    ['has null for a list', { member: null as unknown as GroupMember[] }, 'member must be a list'],
    ['counts in words', { quantity: 'one' as unknown as number }, 'quantity a number'],
    ['is of devices', { type: 'device' as const }, 'is no list of actual persons'],
  ])('are refused where the Group %s', (_what, changes, says) => {
    expect(() => groupSubjects(group([named('Patient/1')], changes), context)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', message: expect.stringContaining(says) }),
    );
  });
});
