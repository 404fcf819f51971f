import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { condition, encounter } from '../support/build-record.ts';
import { extractOne } from '../support/extract-one.ts';

const absent = { assume: false as const, encounterWithin: 'P2Y' };
const diabetes: FeatureDefinition = {
  kind: 'condition',
  label: 'Diabetes',
  codes: ['http://snomed.info/sct|44054006'],
  when: 'active',
  absent,
};
const priorInfarction: FeatureDefinition = { ...diabetes, label: 'Prior infarction', when: 'ever' };
const visit = encounter('2026-01-10T09:00:00Z', '2026-01-10T09:30:00Z');
const concept = (system: string, code: string) => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
});

describe('a condition feature', () => {
  it('is yes when a confirmed diagnosis began at or before as-of', () => {
    expect(extractOne(diabetes, [condition('44054006', '2020-05-01')])).toMatchObject({
      state: 'observed',
      value: true,
      at: '2020-05-01',
    });
  });

  it('falls back to the recorded date where no onset is given', () => {
    expect(extractOne(diabetes, [condition('44054006', undefined, { recordedDate: '2020-05-01' })])).toMatchObject({
      value: true,
    });
  });

  it('does not see a diagnosis that began later, and abstains from one that was recorded later', () => {
    expect(extractOne(diabetes, [condition('44054006', '2026-03-02'), visit])).toMatchObject({
      state: 'assumed-absent',
    });
    const late = condition('44054006', '2020-01-01', { recordedDate: '2026-04-01' });
    expect(extractOne(diabetes, [late, visit])).toMatchObject({ state: 'missing', because: 'time-unknown' });
  });

  it('does not count a refuted or mistaken diagnosis', () => {
    for (const code of ['refuted', 'entered-in-error']) {
      expect(
        extractOne(diabetes, [
          condition('44054006', '2020-01-01', { verificationStatus: concept('condition-ver-status', code) }),
          visit,
        ]),
      ).toMatchObject({ state: 'assumed-absent', value: false });
    }
  });

  it('does not count an abated one as active, but still as ever', () => {
    const abated = condition('44054006', '2010-01-01', {
      abatementDateTime: '2020-01-01',
      clinicalStatus: concept('condition-clinical', 'resolved'),
    });
    expect(extractOne(diabetes, [abated, visit])).toMatchObject({ state: 'assumed-absent' });
    expect(extractOne(priorInfarction, [abated, visit])).toMatchObject({ value: true });
  });

  it('counts one as active that abated only after as-of', () => {
    expect(
      extractOne(diabetes, [condition('44054006', '2010-01-01', { abatementDateTime: '2026-04-01' })]),
    ).toMatchObject({ value: true });
  });

  it('does not know whether a diagnosis was over at a past as-of when nobody wrote when it ended', () => {
    const resolved = (lastUpdated: string) =>
      condition('44054006', '2010-01-01', {
        clinicalStatus: concept('condition-clinical', 'resolved'),
        meta: { lastUpdated },
      });
    expect(extractOne(diabetes, [resolved('2026-05-01T00:00:00Z'), visit])).toMatchObject({
      state: 'missing',
      because: 'status-at-time-unknown',
    });
    expect(extractOne(diabetes, [resolved('2026-02-01T00:00:00Z'), visit])).toMatchObject({ state: 'assumed-absent' });
  });

  it.each(['recurrence', 'relapse'])('does not know whether a diagnosis that came back (%s) held before', (code) => {
    const back = (lastUpdated: string) =>
      condition('44054006', '2010-01-01', {
        clinicalStatus: concept('condition-clinical', code),
        meta: { lastUpdated },
      });
    expect(extractOne(diabetes, [back('2026-05-01T00:00:00Z'), visit])).toMatchObject({
      state: 'missing',
      because: 'status-at-time-unknown',
    });
    expect(extractOne(diabetes, [back('2026-02-01T00:00:00Z'), visit])).toMatchObject({ value: true });
    expect(extractOne(priorInfarction, [back('2026-05-01T00:00:00Z')])).toMatchObject({ value: true });
  });

  it('does not guess the time of a diagnosis without any date', () => {
    expect(extractOne(diabetes, [condition('44054006', undefined), visit])).toMatchObject({
      state: 'missing',
      because: 'time-unknown',
    });
  });

  it('reads nothing-found as no only where the record shows a recent encounter', () => {
    expect(extractOne(diabetes, [])).toMatchObject({ state: 'missing', because: 'no-recent-encounter' });
    expect(extractOne(diabetes, [encounter('2023-01-01T09:00:00Z', '2023-01-01T10:00:00Z')])).toMatchObject({
      because: 'no-recent-encounter',
    });
    expect(extractOne(diabetes, [encounter('2026-04-01T09:00:00Z')])).toMatchObject({ because: 'no-recent-encounter' });
    expect(
      extractOne(diabetes, [encounter('2026-02-01T09:00:00Z', '2026-02-01T10:00:00Z', { status: 'cancelled' })]),
    ).toMatchObject({ because: 'no-recent-encounter' });
    expect(extractOne(diabetes, [visit])).toMatchObject({
      state: 'assumed-absent',
      value: false,
      sources: [{ reference: `Encounter/${visit.id}` }],
    });
    expect(
      extractOne(diabetes, [encounter('2020-01-01T09:00:00Z', '2026-06-01T10:00:00Z', { status: 'in-progress' })]),
    ).toMatchObject({ state: 'assumed-absent' });
  });

  it('does not read nothing-found as no while a diagnosis cannot be decoded', () => {
    expect(extractOne(diabetes, [condition(undefined, '2020-01-01'), visit])).toMatchObject({
      state: 'missing',
      because: 'undecodable',
    });
    const suspect: FeatureDefinition = { ...diabetes, suspectText: ['diabetes'] };
    const local = condition('999', '2020-01-01', {
      code: { coding: [{ system: 'http://example.org/local', code: 'D2', display: 'Diabetes type 2' }] },
    });
    expect(extractOne(suspect, [local, visit])).toMatchObject({ because: 'undecodable' });
    expect(extractOne(diabetes, [condition('38341003', '2020-01-01'), visit])).toMatchObject({
      state: 'assumed-absent',
    });
  });

  it.each([
    ['a year that holds as-of', { abatementDateTime: '2026' }, 'status-at-time-unknown'],
    ['the day of as-of', { abatementDateTime: '2026-03-01' }, 'status-at-time-unknown'],
    [
      'a period that holds as-of',
      { abatementPeriod: { start: '2026-01-01', end: '2026-12-31' } },
      'status-at-time-unknown',
    ],
    ['the day before', { abatementDateTime: '2026-02-28' }, undefined],
    ['a period that is over', { abatementPeriod: { start: '2025-01-01', end: '2025-12-31' } }, undefined],
  ])('does not guess on which side of as-of an abatement in %s lies', (_, parts, because) => {
    const value = extractOne(diabetes, [condition('44054006', '2010-01-01', parts), visit]);
    expect(value).toMatchObject(because === undefined ? { state: 'assumed-absent' } : { state: 'missing', because });
  });

  const coded = (system: string, code: string, display?: string) =>
    condition(undefined, '2020-01-01', {
      code: { coding: [{ system, code, ...(display === undefined ? {} : { display }) }] },
    });

  it.each([
    ['an ICD code, which the list has none of', coded('http://hl7.org/fhir/sid/icd-10-cm', 'E11.9')],
    ['the same code under an OID', coded('urn:oid:2.16.840.1.113883.6.96', '44054006')],
    ['the same system spelt with a slash', coded('http://snomed.info/sct/', '44054006')],
    [
      'a modifier that is not known',
      condition('38341003', '2020-01-01', { modifierExtension: [{ url: 'http://example.org/not' }] }),
    ],
  ])('does not read nothing-found as no beside a diagnosis with %s', (_, undecodable) => {
    expect(extractOne(diabetes, [undecodable, visit])).toMatchObject({ state: 'missing', because: 'undecodable' });
  });

  it('sees suspect text through invisible characters, and asks for a text where it watches for one', () => {
    const watched: FeatureDefinition = { ...diabetes, suspectText: ['diabetes'] };
    const hidden = coded('http://snomed.info/sct', '1', 'Dia\u200bbetes of a rare kind');
    expect(extractOne(watched, [hidden, visit])).toMatchObject({ because: 'undecodable' });
    expect(extractOne(watched, [coded('http://snomed.info/sct', '1'), visit])).toMatchObject({
      because: 'undecodable',
    });
    expect(extractOne(watched, [coded('http://snomed.info/sct', '1', 'Hypertension'), visit])).toMatchObject({
      state: 'assumed-absent',
    });
  });

  it('knows an abbreviation as a word of its own, and not inside another word', () => {
    const watched: FeatureDefinition = { ...diabetes, suspectText: ['dm'] };
    const reads = (display: string) => extractOne(watched, [coded('http://snomed.info/sct', '1', display), visit]);
    expect(reads('DM with retinopathy')).toMatchObject({ because: 'undecodable' });
    expect(reads('Admission')).toMatchObject({ state: 'assumed-absent' });
  });

  it('does not guess whether a diagnosis had begun whose onset is the year of as-of, unless a record made by then says so', () => {
    expect(extractOne(diabetes, [condition('44054006', '2026'), visit])).toMatchObject({ because: 'time-unknown' });
    const recorded = condition('44054006', '2026', { recordedDate: '2026-02-01' });
    expect(extractOne(diabetes, [recorded, visit])).toMatchObject({ value: true });
    const byAge = condition('44054006', undefined, { onsetAge: { value: 40 }, recordedDate: '2026-04-01' });
    expect(extractOne(diabetes, [byAge, visit])).toMatchObject({ because: 'time-unknown' });
  });
});

describe('what stands in no order', () => {
  const listed = (onset: string | undefined, parts: object = {}) => condition('44054006', onset, parts);

  it('gives a diagnosis the date of its first onset, whichever is found first', () => {
    const two = [listed('2020'), listed('2010')];
    for (const resources of [two, [...two].reverse()])
      expect(extractOne(diabetes, resources)).toMatchObject({ value: true, at: '2010' });
  });
});

describe('an encounter that shows that the record is kept', () => {
  it('does not if only the year of as-of is known: it may lie in December', () => {
    expect(extractOne(diabetes, [encounter('2026')])).toMatchObject({ because: 'no-recent-encounter' });
    expect(extractOne(diabetes, [encounter('2026-03')])).toMatchObject({ because: 'no-recent-encounter' });
    expect(extractOne(diabetes, [encounter('2025')])).toMatchObject({ state: 'assumed-absent' });
  });

  it('is dated by its beginning where its end lies after as-of, or may', () => {
    for (const end of ['2026-04-01', '2026'])
      expect(extractOne(diabetes, [encounter('2026-02-20T07:00:00Z', end)])).toMatchObject({
        state: 'assumed-absent',
        at: '2026-02-20T07:00:00Z',
      });
  });
});

describe('a diagnosis with the end of its onset alone', () => {
  it('is not a no where it was recorded after as-of: it may have begun before', () => {
    const known = condition('44054006', undefined, { onsetPeriod: { end: '2020' }, recordedDate: '2026-04-01' });
    expect(extractOne(diabetes, [known, encounter('2026-02-20T07:00:00Z')])).toMatchObject({ because: 'time-unknown' });
  });
});
