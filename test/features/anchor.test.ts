import type { Encounter, Observation } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { encounter, mgPerDl, observation } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

// As-of is 2026-03-01T12:00:00Z.
const creatinine = (parts: object = {}): FeatureDefinition => ({
  kind: 'observation',
  label: 'Creatinine',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2160-0'],
  window: 'P30D',
  anchor: 'encounter-end',
  pick: 'latest',
  plausible: [0.1, 40],
  missing: 'abstain',
  ...parts,
});
const atStart = creatinine({ anchor: 'encounter-start' });
const stay = encounter('2026-01-10T10:00:00Z', '2026-01-20T10:00:00Z');
const result = (value: number, at: string, parts: Partial<Observation> = {}) =>
  observation('2160-0', mgPerDl(value), at, parts);
const extract = (definition: FeatureDefinition, results: readonly Observation[], index: Encounter = stay) =>
  extractOne(definition, results, { encounter: index });

describe('an observation before the encounter of the call began or ended', () => {
  const results = [result(1, '2026-01-09T08:00:00Z'), result(2, '2026-01-19T08:00:00Z'), result(3, '2026-02-01')];

  it('is the last before its end, though there is a newer one', () => {
    expect(extract(creatinine(), results)).toMatchObject({ value: 2, at: '2026-01-19T08:00:00Z' });
  });

  it('is the last before its beginning', () => {
    expect(extract(atStart, results)).toMatchObject({ value: 1, at: '2026-01-09T08:00:00Z' });
  });

  it('is the last before as-of while the encounter goes on, or is planned to end later', () => {
    const going = encounter('2026-01-10T10:00:00Z', undefined, { status: 'in-progress' });
    expect(extract(creatinine(), results, going)).toMatchObject({ value: 3 });
    const planned = encounter('2026-01-10T10:00:00Z', '2026-03-05', { status: 'in-progress' });
    expect(extract(creatinine(), results, planned)).toMatchObject({ value: 3 });
  });

  it('lies in the window before that instant, not before as-of', () => {
    const old = result(1, '2025-12-25T08:00:00Z');
    expect(extract(creatinine(), [old])).toMatchObject({ value: 1 });
    expect(extract(creatinine(), [result(1, '2025-12-20T08:00:00Z')])).toMatchObject({ because: 'not-found' });
    const detail = 'no Creatinine within 30 days before the beginning of the encounter';
    expect(extract(atStart, [])).toMatchObject({ because: 'not-found', detail });
  });

  it('does not take what was measured on the day of discharge, perhaps after it', () => {
    expect(extract(creatinine(), [result(1, '2026-01-19T08:00:00Z'), result(9, '2026-01-20')])).toMatchObject({
      because: 'time-unknown',
    });
    const byDay = encounter('2026-01-10', '2026-01-20');
    const onDay = [result(1, '2026-01-19T08:00:00Z'), result(9, '2026-01-20T08:00:00Z')];
    expect(extract(creatinine(), onDay, byDay)).toMatchObject({ because: 'time-unknown' });
    expect(extract(creatinine(), onDay.slice(0, 1), byDay)).toMatchObject({ value: 1 });
  });

  it('does not decide whether one lies in a window whose beginning is known to the day only', () => {
    const byDay = encounter('2026-01-10', '2026-01-20');
    expect(extract(creatinine(), [result(1, '2025-12-21T08:00:00Z')], byDay)).toMatchObject({
      because: 'time-unknown',
    });
  });

  it('does not see what was measured before the end but known only after as-of', () => {
    const late = result(9, '2026-01-19T09:00:00Z', { issued: '2026-03-02T00:00:00Z' });
    expect(extract(creatinine(), [...results, late])).toMatchObject({ value: 2 });
  });

  it('is missing without an encounter, or where that does not say when it was', () => {
    expect(extractOne(creatinine(), results)).toMatchObject({ because: 'no-encounter' });
    expect(extract(creatinine(), results, encounter('2026-01-10'))).toMatchObject({ because: 'time-unknown' });
    expect(extract(atStart, results, encounter('2026-01'))).toMatchObject({ because: 'time-unknown' });
    const strange = encounter('2026-01-10', '2026-01-20', {
      modifierExtension: [{ url: 'urn:x', valueBoolean: true }],
    });
    expect(extract(creatinine(), results, strange)).toMatchObject({ because: 'undecodable' });
  });

  it('is summarised in that window', () => {
    const highest = creatinine({ pick: 'max' });
    expect(extract(highest, results)).toMatchObject({ value: 2 });
    expect(extractOne(highest, results)).toMatchObject({ because: 'no-encounter' });
  });

  it('is searched for without a limit, for the encounter may be long over', () => {
    const queries = (definition: FeatureDefinition) =>
      recordQueries({ language: 1, features: { one: definition }, population: noPopulation }, new Date(), []);
    expect(queries(creatinine())[0]?.since).toBeUndefined();
    expect(queries(creatinine({ anchor: 'as-of' }))[0]?.since).toBeInstanceOf(Date);
  });

  it('has no time since, which counts to as-of', () => {
    const definition = creatinine({ pick: 'time-since', per: 'd' });
    const map = { language: 1 as const, features: { one: definition }, population: noPopulation };
    expect(checkFeatureMap(map, [])).toMatchObject([{ path: '/features/one/anchor' }]);
  });
});
