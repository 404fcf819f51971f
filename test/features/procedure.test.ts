import type { Encounter, Procedure } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { encounter, procedure } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

// As-of is 2026-03-01T12:00:00Z.
const bypass = '232717009';
const other = '80146002';
const written = (lastUpdated: string): Partial<Procedure> => ({ meta: { lastUpdated } });

const ever = (parts: object = {}): FeatureDefinition => ({
  kind: 'procedure',
  label: 'Coronary bypass',
  codes: [`http://snomed.info/sct|${bypass}`],
  when: 'ever',
  absent: { assume: false, encounterWithin: 'P2Y' },
  ...parts,
});
const within = (parts: object = {}): FeatureDefinition => {
  const { when: _, ...definition } = ever(parts) as { when: string } & Record<string, unknown>;
  return { window: 'P1Y', ...definition } as unknown as FeatureDefinition;
};
const visit = encounter('2026-01-10T09:00:00Z', '2026-01-10T09:30:00Z');

describe('a procedure that was ever performed', () => {
  it('is yes for a completed one at or before as-of', () => {
    expect(extractOne(ever(), [procedure(bypass, '2019-05-01')])).toMatchObject({
      state: 'observed',
      value: true,
      at: '2019-05-01',
    });
  });

  it.each([
    ['was not done', { status: 'not-done' as const }],
    ['is in preparation', { status: 'preparation' as const }],
    ['was entered in error', { status: 'entered-in-error' as const }],
    ['was stopped', { status: 'stopped' as const }],
    ['goes on', { status: 'in-progress' as const }],
    ['is another one', { code: { coding: [{ system: 'http://snomed.info/sct', code: other }] } }],
  ])('does not count one that %s', (_, parts) => {
    expect(extractOne(ever(), [procedure(bypass, '2019-05-01', parts), visit])).toMatchObject({
      state: 'assumed-absent',
      value: false,
    });
  });

  it('does not see one of the day after', () => {
    expect(extractOne(ever(), [procedure(bypass, '2026-03-02'), visit])).toMatchObject({ state: 'assumed-absent' });
  });

  it('does not take one for completed that went on at as-of, though it is completed today', () => {
    const long = procedure(bypass, undefined, {
      performedPeriod: { start: '2026-03-01T10:00:00Z', end: '2026-03-01T14:00:00Z' },
    });
    expect(extractOne(ever(), [long, visit])).toMatchObject({ state: 'assumed-absent' });
    expect(extractOne(ever({ status: ['completed', 'in-progress'] }), [long, visit])).toMatchObject({ value: true });
  });

  it.each([
    ['without a time', {}],
    ['of an age', { performedAge: { value: 50, system: 'http://unitsofmeasure.org', code: 'a' } }],
    ['of the year of as-of', { performedDateTime: '2026' }],
    ['that began, and ended nobody knows when', { performedPeriod: { start: '2026-02-28' } }],
  ])('takes one %s for performed only where it was written by as-of', (_, parts) => {
    const late = { ...parts, ...written('2026-03-05T08:00:00Z') };
    expect(extractOne(ever(), [procedure(bypass, undefined, late), visit])).toMatchObject({ because: 'time-unknown' });
    const early = { ...parts, ...written('2026-02-28T08:00:00Z') };
    expect(extractOne(ever(), [procedure(bypass, undefined, early), visit])).toMatchObject({ value: true });
  });

  it.each([
    ['has the status unknown', { status: 'unknown' as const }],
    ['carries an unknown modifier', { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }],
    ['is a text only', { code: { text: 'bypass' } }],
    ['is coded in another system', { code: { coding: [{ system: 'urn:local', code: '1' }] } }],
  ])('is no no while one %s', (_, parts) => {
    expect(extractOne(ever(), [procedure(bypass, '2019-05-01', parts), visit])).toMatchObject({
      state: 'missing',
      because: 'undecodable',
    });
  });

  it('is no no where a text says what the code does not', () => {
    const coding = [{ system: 'http://snomed.info/sct', code: other, display: 'Coronary artery bypass graft' }];
    const named = procedure(undefined, '2019-05-01', { code: { coding } });
    expect(extractOne(ever({ suspectText: ['bypass'] }), [named, visit])).toMatchObject({ because: 'undecodable' });
  });

  it('is no no without a recent encounter, or where absence is not declared', () => {
    expect(extractOne(ever(), [])).toMatchObject({ because: 'no-recent-encounter' });
    expect(extractOne(ever({ absent: undefined }), [visit])).toMatchObject({ because: 'not-found' });
  });
});

describe('procedures in a window', () => {
  const count = within({ pick: 'count', absent: { assume: 0, encounterWithin: 'P2Y' } });
  const since = within({ pick: 'time-since', per: 'd', absent: undefined });

  it('are those that were performed in it', () => {
    const some = [procedure(bypass, '2025-06-01'), procedure(bypass, '2025-01-31'), procedure(bypass, '2026-02-01')];
    expect(extractOne(count, some)).toMatchObject({ state: 'derived', value: 2, at: '2026-02-01' });
    expect(extractOne(within(), [procedure(bypass, '2025-01-31'), visit])).toMatchObject({ state: 'assumed-absent' });
    expect(extractOne(count, [visit])).toMatchObject({ state: 'assumed-absent', value: 0 });
  });

  it('say how long ago the last one was', () => {
    const some = [procedure(bypass, '2025-06-01'), procedure(bypass, '2026-02-19T12:00:00Z')];
    expect(extractOne(since, some)).toMatchObject({ value: 10, at: '2026-02-19T12:00:00Z' });
    expect(extractOne(since, [procedure(bypass, '2026-01')])).toMatchObject({ because: 'time-unknown' });
    expect(extractOne(since, [])).toMatchObject({ because: 'not-found' });
  });

  it.each([
    ['does not say when', procedure(bypass, undefined), 'time-unknown'],
    ['may lie before the window', procedure(bypass, '2025'), 'time-unknown'],
    ['may be one of those', procedure(undefined, '2026-02-01'), 'undecodable'],
    ['has the status unknown', procedure(bypass, '2026-02-01', { status: 'unknown' }), 'undecodable'],
  ])('are no number while one %s', (_, doubtful, because) => {
    const sure = procedure(bypass, '2025-06-01');
    expect(extractOne(count, [sure, doubtful])).toMatchObject({ state: 'missing', because });
    expect(extractOne(since, [sure, doubtful])).toMatchObject({ state: 'missing', because });
    expect(extractOne(within(), [sure, doubtful])).toMatchObject({ value: true });
  });

  it('leave out what was written before the window began, whenever it was', () => {
    const old = procedure(bypass, undefined, written('2024-01-01T00:00:00Z'));
    expect(extractOne(count, [old, procedure(bypass, '2025-06-01')])).toMatchObject({ value: 1 });
  });
});

describe('any procedure during the encounter of the call', () => {
  const anyDuring: FeatureDefinition = {
    kind: 'procedure',
    label: 'Any procedure during the stay',
    during: 'encounter',
    absent: { assume: false, encounterWithin: 'P2Y' },
  };
  const stay = encounter('2026-02-20T10:00:00Z', undefined, { id: 'stay', status: 'in-progress' });
  const over = encounter('2026-02-20T10:00:00Z', '2026-02-25T10:00:00Z', { id: 'stay' });
  const named = (reference: string): Partial<Procedure> => ({ encounter: { reference } });
  const extract = (procedures: readonly Procedure[], index: Encounter | undefined = stay, more: Encounter[] = []) =>
    extractOne(anyDuring, [...procedures, ...more], index === undefined ? {} : { encounter: index });

  it('is yes for one in it, whatever its code, and no without one', () => {
    expect(extract([procedure(undefined, '2026-02-22')])).toMatchObject({ value: true });
    expect(extract([procedure(other, '2026-02-22T09:00:00Z', named('Encounter/stay'))])).toMatchObject({ value: true });
    expect(extract([])).toMatchObject({ state: 'assumed-absent', value: false });
  });

  it('does not count one before or after it, or of another encounter', () => {
    const another = encounter('2026-02-22T08:00:00Z', '2026-02-22T09:00:00Z', { id: 'another' });
    expect(extract([procedure(other, '2026-02-19')])).toMatchObject({ state: 'assumed-absent' });
    expect(extract([procedure(other, '2026-02-26')], over)).toMatchObject({ state: 'assumed-absent' });
    const elsewhere = procedure(other, '2026-02-22T08:30:00Z', named('Encounter/another'));
    expect(extract([elsewhere], stay, [another])).toMatchObject({ state: 'assumed-absent' });
  });

  it('counts one of a part of it', () => {
    const part = encounter('2026-02-22T08:00:00Z', '2026-02-23T09:00:00Z', {
      id: 'ward',
      partOf: { reference: 'Encounter/stay' },
    });
    const onWard = procedure(other, '2026-02-22T08:30:00Z', named('Encounter/ward'));
    expect(extract([onWard], stay, [part])).toMatchObject({ value: true });
  });

  it('does not decide where the day of admission or discharge is all that is known', () => {
    expect(extract([procedure(other, '2026-02-20')])).toMatchObject({ because: 'time-unknown' });
    expect(extract([procedure(other, '2026-02-25')], over)).toMatchObject({ because: 'time-unknown' });
    const onDay = procedure(other, '2026-02-25', named('Encounter/stay'));
    expect(extract([onDay], over)).toMatchObject({ value: true });
  });

  it('does not decide about one that names an encounter that is not in the record', () => {
    expect(extract([procedure(other, '2026-02-22', named('Encounter/gone'))])).toMatchObject({ state: 'missing' });
    expect(extract([procedure(other, '2025-02-22', named('Encounter/gone'))])).toMatchObject({
      state: 'assumed-absent',
    });
  });

  it('does not see what the encounter names but happened after as-of', () => {
    expect(extract([procedure(other, '2026-03-02', named('Encounter/stay'))])).toMatchObject({
      state: 'assumed-absent',
    });
    expect(extract([procedure(other, undefined, named('Encounter/stay'))])).toMatchObject({ because: 'time-unknown' });
    expect(extract([procedure(other, undefined, named('Encounter/stay'))], over)).toMatchObject({ value: true });
  });

  it('is missing where the call names no encounter', () => {
    expect(extractOne(anyDuring, [procedure(other, '2026-02-22')])).toMatchObject({ because: 'no-encounter' });
  });
});

describe('the definition of a procedure feature', () => {
  const findingsOf = (definition: FeatureDefinition) =>
    checkFeatureMap({ language: 1, features: { feature: definition }, population: noPopulation }, []).map(
      ({ path, message }) => `${path} ${message}`,
    );
  it.each([
    [{ window: 'P1Y' }, '/features/feature needs one of window, when, during, and no more than one'],
    [{ when: undefined }, '/features/feature needs one of window, when, during, and no more than one'],
    [
      { pick: 'time-since', absent: undefined },
      '/features/feature/per is needed by time-since: the unit of time, such as d',
    ],
    [{ per: 'd' }, '/features/feature/per is for time-since, not for any'],
    [{ pick: 'count' }, '/features/feature/absent/assume has to be 0 for count'],
    [{ pick: 'time-since', per: 'd' }, '/features/feature/absent is not for time-since: none is a reason there'],
    [
      { codes: undefined, suspectText: ['bypass'] },
      '/features/feature/suspectText goes with codes: without them any procedure counts',
    ],
  ])('is refused with %j', (parts, finding) => {
    expect(findingsOf(ever(parts))).toEqual([finding]);
  });
});

describe('a procedure that goes on at as-of', () => {
  const going = { status: ['completed', 'in-progress'] };
  const since = (start: string, end?: string) =>
    procedure(bypass, undefined, {
      status: 'in-progress',
      performedPeriod: { start, ...(end === undefined ? {} : { end }) },
    });

  it('lies in the window, however long before it began', () => {
    const week = within({ window: 'P7D', ...going });
    expect(extractOne(week, [since('2026-01-25T08:00:00Z'), visit])).toMatchObject({ state: 'observed', value: true });
    expect(extractOne(week, [since('2026-01-25T08:00:00Z', '2026-03-03T08:00:00Z'), visit])).toMatchObject({
      value: true,
    });
  });

  it('is no time ago', () => {
    const ago = ever({ ...going, pick: 'time-since', per: 'd', absent: undefined });
    expect(extractOne(ago, [since('2026-01-25T08:00:00Z')])).toMatchObject({ state: 'derived', value: 0 });
  });
});

it('the time since the last procedure is not known where a vaguer one may be later', () => {
  const ago = ever({ pick: 'time-since', per: 'd', absent: undefined });
  const exact = procedure(bypass, '2024-03-01T10:00:00Z');
  expect(extractOne(ago, [procedure(bypass, '2024'), exact])).toMatchObject({ because: 'time-unknown' });
  expect(extractOne(ago, [procedure(bypass, '2023'), exact])).toMatchObject({ state: 'derived' });
});

it('a procedure of unknown status that ended after as-of is a doubt, however long before the window it began', () => {
  const unclear = procedure(bypass, undefined, {
    status: 'unknown',
    performedPeriod: { start: '2026-01-25T08:00:00Z', end: '2026-03-03T08:00:00Z' },
  });
  expect(extractOne(within({ window: 'P7D' }), [unclear, visit])).toMatchObject({ because: 'undecodable' });
});
