import type { Patient, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { compileLabel } from '../../../src/cli/evaluate/label-of-events.ts';
import { patientGroups } from '../../../src/cli/evaluate/patient-groups.ts';
import { parseAsOf } from '../../../src/entrances/fhir-operation/parse-as-of.ts';
import type { LabelEvent } from '../../../src/model-catalog/label-event-schema.ts';
import { addDuration } from '../../../src/results/duration.ts';

const snomed = 'http://snomed.info/sct';
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const asOf = new Date('2025-01-01T12:00:00Z');
const now = new Date('2026-11-01T00:00:00Z');
const patient: Patient = { resourceType: 'Patient', id: 'one' };
const subject = { reference: 'Patient/one' };

const declared: LabelEvent = {
  events: [{ kind: 'condition', codes: [`${snomed}|22298006`] }],
  horizon: 'P1Y',
  followedUntil: { date: '2026-06-01' },
  death: 'no-event',
  eventBefore: 'left-out',
};
const infarction = (parts: object): Resource => ({
  resourceType: 'Condition',
  code: { coding: [{ system: snomed, code: '22298006' }] },
  subject,
  ...parts,
});
const visit = (start: string, code = 'AMB'): Resource => ({
  resourceType: 'Encounter',
  status: 'finished',
  class: { system: actCode, code },
  period: { start },
});
const label = (resources: Resource[], changes: Partial<LabelEvent> = {}, who: Patient = patient) =>
  compileLabel({ ...declared, ...changes }, { timeZone: 'Europe/Berlin', now })(who, resources, asOf);

describe('the label of a prediction from what happened', () => {
  it.each([
    ['within the horizon', '2025-06-01', { truth: 1 }],
    ['on the last instant of the horizon', '2026-01-01T12:00:00Z', { truth: 1 }],
    ['after it', '2026-01-01T12:00:01Z', { truth: 0 }],
    ['in the year of as-of, without saying when', '2025', { leftOut: 'time-unknown' }],
    ['on the day of as-of, before or after it', '2025-01-01', { leftOut: 'time-unknown' }],
    ['on the last day of the horizon, within or after it', '2026-01-01', { leftOut: 'time-unknown' }],
    ['before as-of', '2024-03', { leftOut: 'event-before' }],
    ['at as-of', '2025-01-01T12:00:00Z', { leftOut: 'event-before' }],
  ])('of an event %s (%s) is %j', (_, onsetDateTime, expected) => {
    expect(label([infarction({ onsetDateTime })])).toEqual(expected);
  });

  it('is not told by a diagnosis that was refuted, or by another code', () => {
    const refuted = {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'refuted' }],
    };
    expect(label([infarction({ onsetDateTime: '2025-06-01', verificationStatus: refuted })])).toEqual({ truth: 0 });
    const other = { coding: [{ system: 'http://other.example', code: '22298006' }] };
    expect(label([infarction({ onsetDateTime: '2025-06-01', code: other })])).toEqual({ truth: 0 });
  });

  it('is none where a diagnosis carries a modifier that nobody here knows, or says no time', () => {
    const modifierExtension = [{ url: 'http://example.org/not', valueBoolean: true }];
    expect(label([infarction({ onsetDateTime: '2025-06-01', modifierExtension })])).toEqual({
      leftOut: 'time-unknown',
    });
    expect(label([infarction({})])).toEqual({ leftOut: 'time-unknown' });
  });

  it('is that of the event where an earlier one is ignored on purpose', () => {
    const twice = [infarction({ onsetDateTime: '2024-03-01' }), infarction({ onsetDateTime: '2025-03-01' })];
    expect(label(twice, { eventBefore: 'ignored' })).toEqual({ truth: 1 });
    expect(label(twice.slice(0, 1), { eventBefore: 'ignored' })).toEqual({ truth: 0 });
  });

  it('is none where the record does not reach to the end of the horizon, whatever says how far it reaches', () => {
    const notFollowed = { leftOut: 'not-followed-up' };
    expect(label([], { followedUntil: { date: '2025-12-30' } })).toEqual(notFollowed);
    expect(label([], { followedUntil: { last: 'encounter' } })).toEqual(notFollowed);
    expect(label([visit('2025-12-01T10:00:00Z')], { followedUntil: { last: 'encounter' } })).toEqual(notFollowed);
    expect(label([visit('2026-02-01T10:00:00Z')], { followedUntil: { last: 'encounter' } })).toEqual({ truth: 0 });
    const result: Resource = {
      resourceType: 'Observation',
      status: 'final',
      code: {},
      effectiveDateTime: '2026-02-01',
    };
    expect(label([result], { followedUntil: { last: 'encounter' } })).toEqual(notFollowed);
    expect(label([result], { followedUntil: { last: 'record' } })).toEqual({ truth: 0 });
    // Whoever had the event was followed long enough.
    expect(label([infarction({ onsetDateTime: '2025-02-01' })], { followedUntil: { last: 'encounter' } })).toEqual({
      truth: 1,
    });
  });

  it('of one who died without the event is what was declared', () => {
    const dead = { ...patient, deceasedDateTime: '2025-05-01' };
    expect(label([], { followedUntil: { last: 'encounter' } }, dead)).toEqual({ truth: 0 });
    expect(label([], { death: 'left-out' }, dead)).toEqual({ leftOut: 'death' });
    expect(label([], {}, { ...patient, deceasedBoolean: true })).toEqual({ leftOut: 'time-of-death-unknown' });
    expect(label([], {}, { ...patient, deceasedDateTime: '2024-05-01' })).toEqual({ leftOut: 'death-before' });
  });

  it('can be of a death, an admission, a procedure or a result', () => {
    const events = (event: LabelEvent['events'][number]): Partial<LabelEvent> => ({ events: [event] });
    expect(label([], events({ kind: 'death' }), { ...patient, deceasedDateTime: '2025-05-01' })).toEqual({ truth: 1 });
    const admission = events({ kind: 'encounter', classes: [`${actCode}|IMP`] });
    expect(label([visit('2025-03-01T10:00:00Z', 'IMP')], admission)).toEqual({ truth: 1 });
    expect(label([visit('2025-03-01T10:00:00Z', 'AMB')], admission)).toEqual({ truth: 0 });
    const code = { coding: [{ system: snomed, code: '22298006' }] };
    const procedure: Resource = {
      resourceType: 'Procedure',
      status: 'completed',
      code,
      subject,
      performedDateTime: '2025-03-01',
    };
    const codes = [`${snomed}|22298006`];
    expect(label([procedure], events({ kind: 'procedure', codes }))).toEqual({ truth: 1 });
    expect(label([{ ...procedure, status: 'not-done' }], events({ kind: 'procedure', codes }))).toEqual({ truth: 0 });
    const result: Resource = { resourceType: 'Observation', status: 'final', code, effectiveDateTime: '2025-03-01' };
    expect(label([result], events({ kind: 'observation', codes }))).toEqual({ truth: 1 });
  });
});

describe('a diagnosis that says another time than its onset', () => {
  const age = { value: 30, unit: 'a' };

  it.each([
    ['an onset as an age, recorded within the horizon', { onsetAge: age, recordedDate: '2025-06-10' }, 'time-unknown'],
    [
      'an onset as a text, recorded within the horizon',
      { onsetString: 'long ago', recordedDate: '2025-06-10' },
      'time-unknown',
    ],
    ['a period without a beginning', { onsetPeriod: { end: '2025-08' }, recordedDate: '2025-06-10' }, 'time-unknown'],
    ['an onset as an age, recorded before as-of', { onsetAge: age, recordedDate: '2024-06-10' }, 'event-before'],
    ['an onset as an age, recorded at as-of', { onsetAge: age, recordedDate: '2025-01-01T12:00:00Z' }, 'event-before'],
    ['an onset as an age and no date of record', { onsetAge: age }, 'time-unknown'],
    [
      'an end before as-of, recorded after it',
      { abatementDateTime: '2019', recordedDate: '2025-06-10' },
      'event-before',
    ],
    ['an end before as-of alone', { abatementPeriod: { start: '2019-01-01' } }, 'event-before'],
    [
      'an end after as-of, before its record',
      { abatementDateTime: '2025-03-01', recordedDate: '2025-06-10' },
      'time-unknown',
    ],
    ['an end as an age', { abatementAge: age, recordedDate: '2025-06-10' }, 'time-unknown'],
    ['an end as a text', { abatementString: 'healed', recordedDate: '2025-06-10' }, 'time-unknown'],
  ])('is no event of its day of record: %s', (_, parts, leftOut) => {
    expect(label([infarction(parts)])).toEqual({ leftOut });
  });

  it('is an event of its day of record where it ended after that, and of its onset whenever it ended', () => {
    expect(label([infarction({ recordedDate: '2025-06-10', abatementDateTime: '2025-09-01' })])).toEqual({ truth: 1 });
    expect(label([infarction({ onsetDateTime: '2025-06-10', abatementString: 'healed' })])).toEqual({ truth: 1 });
  });
});

describe('whoever had died at as-of', () => {
  const dead = { ...patient, deceasedDateTime: '2024-12-20' };

  it('has no event, though a diagnosis was recorded afterwards', () => {
    const late = [infarction({ recordedDate: '2025-01-10' })];
    expect(label(late, {}, dead)).toEqual({ leftOut: 'death-before' });
    expect(label(late, { eventBefore: 'ignored', death: 'left-out' }, dead)).toEqual({ leftOut: 'death-before' });
    expect(label(late, {}, { ...patient, deceasedDateTime: asOf.toISOString() })).toEqual({ leftOut: 'death-before' });
    const thatDay = { ...patient, deceasedDateTime: '2025-01-01' };
    expect(label(late, {}, thatDay)).toEqual({ leftOut: 'time-unknown' });
    expect(label([infarction({ onsetDateTime: '2025-01-01T15:00:00Z' })], {}, thatDay)).toEqual({ truth: 1 });
  });
});

describe('nobody is followed up by what did not happen', () => {
  const last = { followedUntil: { last: 'record' } } as const;
  const day = '2026-02-01';
  const result = { resourceType: 'Observation', status: 'final', code: {}, effectiveDateTime: day } as const;
  const procedure = { resourceType: 'Procedure', status: 'completed', subject, performedDateTime: day } as const;
  const other = { coding: [{ system: snomed, code: '1' }] };
  const diagnosis = { code: other, recordedDate: day };
  const verification = (code: string) => ({
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code }],
  });
  const modifierExtension = [{ url: 'http://example.org/not', valueBoolean: true }];

  it.each<[string, Resource]>([
    ['a result entered in error', { ...result, status: 'entered-in-error' }],
    ['a cancelled result', { ...result, status: 'cancelled' }],
    ['a result of the year 2205', { ...result, effectiveDateTime: '2205-01-10' }],
    ['a procedure that was not done', { ...procedure, status: 'not-done' }],
    ['a procedure that is prepared', { ...procedure, status: 'preparation' }],
    ['a procedure of which nobody knows whether it was done', { ...procedure, status: 'unknown' }],
    ['an encounter in the future', visit('2026-12-24T10:00:00Z')],
    ['a refuted diagnosis', infarction({ ...diagnosis, verificationStatus: verification('refuted') })],
    [
      'a diagnosis entered in error',
      infarction({ ...diagnosis, verificationStatus: verification('entered-in-error') }),
    ],
    ['a result with a modifier that nobody here knows', { ...result, modifierExtension }],
  ])('%s', (_, resource) => {
    expect(label([resource], last)).toEqual({ leftOut: 'not-followed-up' });
  });

  it('but by each of the four kinds that did', () => {
    for (const resource of [result, procedure, infarction(diagnosis), visit('2026-02-01T10:00:00Z')])
      expect(label([resource], last)).toEqual({ truth: 0 });
  });

  it('and an event or a death that is dated in the future has no known time', () => {
    expect(label([infarction({ onsetDateTime: '2205-06-01' })])).toEqual({ leftOut: 'time-unknown' });
    expect(label([infarction({ onsetDateTime: '2026-12-01' })], { horizon: 'P2Y' })).toEqual({
      leftOut: 'time-unknown',
    });
    expect(label([], {}, { ...patient, deceasedDateTime: '2205-06-01' })).toEqual({ leftOut: 'time-of-death-unknown' });
  });
});

describe('the horizon of a label ends when the period of the published result ends, by the calendar of the site', () => {
  const ofEvent = (timeZone: string, day: string, horizon: string, onsetDateTime: string) => {
    const endOfDay = parseAsOf(day, timeZone, 'as-of');
    return compileLabel({ ...declared, horizon, followedUntil: { date: '2026-10-01' } }, { timeZone, now })(
      patient,
      [infarction({ onsetDateTime })],
      endOfDay,
    );
  };

  it.each([
    ['America/New_York', '2025-02-28', 'P1M', '2025-03-28', { truth: 1 }],
    ['America/New_York', '2025-02-28', 'P1M', '2025-03-31', { truth: 0 }],
    ['America/New_York', '2025-02-28', 'P6M', '2025-08-28', { truth: 1 }],
    ['America/New_York', '2025-02-28', 'P6M', '2025-08-30', { truth: 0 }],
    ['America/New_York', '2025-01-31', 'P1M', '2025-03-01T00:00:00-05:00', { truth: 0 }],
    ['Europe/Berlin', '2025-07-15', 'P6M', '2026-01-15', { truth: 1 }],
    ['Europe/Berlin', '2025-07-15', 'P6M', '2026-01-16', { truth: 0 }],
    ['Europe/Berlin', '2025-09-30', 'P30D', '2025-10-30', { truth: 1 }],
    ['Europe/Berlin', '2025-01-15', 'P6M', '2025-07-16T00:30:00+02:00', { truth: 0 }],
  ])('%s, end of %s and %s: an event at %s is %j, over clock changes and months of unequal length', (...row) => {
    const [timeZone, day, horizon, onset, expected] = row;
    expect(ofEvent(timeZone, day, horizon, onset)).toEqual(expected);
  });

  it('is the end that the result states: an event at that instant is within, one a second later is not', () => {
    const endOfDay = parseAsOf('2025-02-28', 'America/New_York', 'as-of');
    const end = addDuration(endOfDay, 'P1M', 'America/New_York');
    const later = new Date(end.getTime() + 1000);
    expect(ofEvent('America/New_York', '2025-02-28', 'P1M', end.toISOString())).toEqual({ truth: 1 });
    expect(ofEvent('America/New_York', '2025-02-28', 'P1M', later.toISOString())).toEqual({ truth: 0 });
  });
});

describe('what patients are told apart by', () => {
  const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-';
  const omb = (name: string, ...codes: string[]) => ({
    url: `${usCore}${name}`,
    extension: codes.map((code) => ({
      url: 'ombCategory',
      valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code },
    })),
  });

  it('is sex, the age band at as-of, race and ethnicity', () => {
    const person: Patient = {
      ...patient,
      gender: 'female',
      birthDate: '1980-01-02',
      extension: [omb('race', '2054-5'), omb('ethnicity', '2186-5')],
    };
    expect(patientGroups(person, asOf, 'UTC')).toEqual([
      'female',
      '18 to 44',
      'Black or African American',
      'Not Hispanic or Latino',
    ]);
    expect(patientGroups({ ...person, birthDate: '1980-01-01' }, asOf, 'UTC')[1]).toBe('45 to 64');
  });

  it('is not known where the Patient does not say, or not well enough', () => {
    expect(patientGroups(patient, asOf, 'UTC')).toEqual([undefined, undefined, undefined, undefined]);
    expect(patientGroups({ ...patient, gender: 'unknown', birthDate: '1980' }, asOf, 'UTC')).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(
      patientGroups({ ...patient, birthDate: '1970', extension: [omb('race', '2028-9', '2106-3')] }, asOf, 'UTC'),
    ).toEqual([undefined, '45 to 64', 'several', undefined]);
    expect(patientGroups({ ...patient, extension: [omb('race', 'ASKU')] }, asOf, 'UTC')[2]).toBeUndefined();
  });
});
