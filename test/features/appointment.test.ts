import type { Appointment } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { ownership } from '../../src/records/check-seeds.ts';
import { appointment, encounter } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

// As-of is 2026-03-01T12:00:00Z.
const lead: FeatureDefinition = { kind: 'appointment', label: 'Lead time', pick: 'lead-time', per: 'd' };
const weekday: FeatureDefinition = { kind: 'appointment', label: 'Weekday', pick: 'weekday' };
const hour: FeatureDefinition = { kind: 'appointment', label: 'Hour', pick: 'hour' };
const missed: FeatureDefinition = {
  kind: 'appointment',
  label: 'Missed appointments',
  pick: 'no-shows',
  window: 'P1Y',
  absent: { assume: 0, encounterWithin: 'P2Y' },
};
const next = (parts: Partial<Appointment> = {}) =>
  appointment('2026-03-11T23:30:00Z', { created: '2026-02-19T11:30:00Z', ...parts });

describe('the next booked appointment', () => {
  it('says how long before it it was made', () => {
    expect(extractOne(lead, [next(), appointment('2026-05-01T09:00:00Z')])).toMatchObject({
      state: 'derived',
      value: 20.5,
      at: '2026-02-19T11:30:00Z',
    });
  });

  it('has the day and the hour of the zone of the site', () => {
    expect(extractOne(weekday, [next()])).toMatchObject({ value: 'wednesday' });
    expect(extractOne(hour, [next()])).toMatchObject({ value: 23 });
    expect(extractOne(weekday, [next()], { timeZone: 'Europe/Vienna' })).toMatchObject({ value: 'thursday' });
    expect(extractOne(hour, [next()], { timeZone: 'Europe/Vienna' })).toMatchObject({ value: 0 });
  });

  it.each([
    ['lies before as-of', next({ start: '2026-02-28T09:00:00Z' })],
    ['was made after as-of', next({ created: '2026-03-02T09:00:00Z' })],
    ['is only proposed', next({ status: 'proposed' })],
    ['stands on the waiting list', next({ status: 'waitlist' })],
    ['was entered in error', next({ status: 'entered-in-error' })],
    ['was cancelled by as-of', next({ status: 'cancelled', meta: { lastUpdated: '2026-02-25T00:00:00Z' } })],
  ])('is not one that %s', (_, given) => {
    expect(extractOne(lead, [given])).toMatchObject({ state: 'missing', because: 'not-found' });
  });

  it('is the same at a past as-of, whatever became of it', () => {
    for (const status of ['arrived', 'fulfilled', 'noshow'] as const)
      expect(extractOne(lead, [next({ status })])).toMatchObject({ value: 20.5 });
  });

  it('is not known while an earlier one may have been cancelled only after as-of', () => {
    const cancelled = appointment('2026-03-05T09:00:00Z', { status: 'cancelled', created: '2026-02-01' });
    expect(extractOne(lead, [cancelled, next()])).toMatchObject({ because: 'status-at-time-unknown' });
    const later = appointment('2026-04-05T09:00:00Z', { status: 'cancelled', created: '2026-02-01' });
    expect(extractOne(lead, [later, next()])).toMatchObject({ value: 20.5 });
  });

  it.each([
    ['two are at one time', [next(), next()], 'conflict'],
    ['it does not say when it was made', [next({ created: undefined })], 'time-unknown'],
    ['it was made in a year', [next({ created: '2025' })], 'time-unknown'],
    [
      'one carries an unknown modifier',
      [next({ modifierExtension: [{ url: 'urn:x', valueBoolean: true }] })],
      'undecodable',
    ],
    ['one does not say when it is', [next(), next({ start: undefined })], 'time-unknown'],
  ])('is a reason where %s', (_, given, because) => {
    expect(extractOne(lead, given)).toMatchObject({ state: 'missing', because });
  });

  it('has a day where it is not known when it was made, but that it was', () => {
    const known = next({ created: undefined, meta: { lastUpdated: '2026-02-20T00:00:00Z' } });
    expect(extractOne(weekday, [known])).toMatchObject({ value: 'wednesday' });
    expect(extractOne(lead, [known])).toMatchObject({ because: 'time-unknown' });
  });
});

describe('missed appointments', () => {
  const noShow = (start: string) => appointment(start, { status: 'noshow' });

  it('are counted in the window before as-of', () => {
    const some = [noShow('2025-06-01T09:00:00Z'), noShow('2026-01-01T09:00:00Z'), noShow('2024-01-01T09:00:00Z')];
    const others = [noShow('2026-03-02T09:00:00Z'), appointment('2025-07-01T09:00:00Z', { status: 'fulfilled' })];
    expect(extractOne(missed, [...some, ...others])).toMatchObject({ value: 2, at: '2026-01-01T09:00:00Z' });
  });

  it('are none only where the record is kept', () => {
    expect(extractOne(missed, [])).toMatchObject({ because: 'no-recent-encounter' });
    expect(extractOne(missed, [encounter('2026-01-10', '2026-01-10')])).toMatchObject({
      state: 'assumed-absent',
      value: 0,
    });
  });
});

describe('an appointment', () => {
  const subject = { tenant: 'default', base: 'http://127.0.0.1/fhir/R4', id: '1' };
  it.each([
    [['Patient/1', 'Practitioner/7'], 'subject'],
    [['Patient/2', 'Patient/1'], 'subject'],
    [['Patient/2'], 'foreign'],
    [['Practitioner/7'], 'unnamed'],
  ])('of %j is of the %s', (actors, owned) => {
    const participant = actors.map((reference) => ({ actor: { reference }, status: 'accepted' as const }));
    expect(ownership(next({ participant }), subject)).toBe(owned);
  });

  it.each([
    [{ ...lead, per: undefined }, '/per'],
    [{ ...weekday, per: 'd' }, '/per'],
    [{ ...missed, window: undefined }, '/window'],
    [{ ...hour, window: 'P1Y' }, '/window'],
  ])('has a definition that fits its pick', (feature, path) => {
    const map = { language: 1 as const, features: { feature: feature as FeatureDefinition }, population: noPopulation };
    expect(checkFeatureMap(map, [])).toMatchObject([{ path: `/features/feature${path}` }]);
  });
});
