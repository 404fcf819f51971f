import type { AllergyIntolerance } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { encounter } from '../support/build-record.ts';
import { extractOne } from '../support/extract-one.ts';

// As-of is 2026-03-01T12:00:00Z.
const snomed = 'http://snomed.info/sct';
const penicillin = '91936005';
const none = '716186003';
const definition = (parts: object = {}): FeatureDefinition => ({
  kind: 'allergy',
  label: 'Penicillin allergy',
  codes: [`${snomed}|${penicillin}`],
  no: [`${snomed}|409137002`],
  when: 'active',
  absent: { assume: false, encounterWithin: 'P2Y' },
  ...parts,
});
const coded = (code: string, system = snomed) => ({ coding: [{ system, code }] });
const clinical = (code: string) => ({
  clinicalStatus: coded(code, 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical'),
});
const verified = (code: string) => ({
  verificationStatus: coded(code, 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification'),
});
let sequence = 0;
const allergy = (code: string | undefined, parts: Partial<AllergyIntolerance> = {}): AllergyIntolerance => {
  sequence += 1;
  return {
    resourceType: 'AllergyIntolerance',
    id: `allergy-${sequence}`,
    patient: { reference: 'Patient/1' },
    recordedDate: '2020-05-01',
    ...(code === undefined ? {} : { code: coded(code) }),
    ...parts,
  };
};
const visit = encounter('2026-01-10T09:00:00Z', '2026-01-10T09:30:00Z');

describe('an allergy', () => {
  it('is yes by its code, or by the substance of a reaction', () => {
    expect(extractOne(definition(), [allergy(penicillin)])).toMatchObject({
      state: 'observed',
      value: true,
      at: '2020-05-01',
    });
    const reaction = [{ substance: coded(penicillin), manifestation: [{ text: 'rash' }] }];
    expect(extractOne(definition(), [allergy('387207008', { reaction })])).toMatchObject({ value: true });
  });

  it('is an explicit no where the record says that none is known', () => {
    expect(extractOne(definition(), [allergy(none)])).toMatchObject({ state: 'observed', value: false });
    expect(extractOne(definition(), [allergy('409137002')])).toMatchObject({ state: 'observed', value: false });
  });

  it('is a conflict where the record says both', () => {
    expect(extractOne(definition(), [allergy(none), allergy(penicillin)])).toMatchObject({ because: 'conflict' });
  });

  it.each([
    ['refuted', verified('refuted')],
    ['entered in error', verified('entered-in-error')],
    ['to something else', { code: coded('387207008') }],
    ['recorded after as-of', { recordedDate: '2026-03-02' }],
    ['over since before as-of', { ...clinical('resolved'), meta: { lastUpdated: '2025-01-01T00:00:00Z' } }],
  ])('does not count where it is %s', (_, parts) => {
    expect(extractOne(definition(), [allergy(penicillin, parts), visit])).toMatchObject({ state: 'assumed-absent' });
    const noMore = { ...definition(), absent: undefined } as unknown as FeatureDefinition;
    expect(extractOne(noMore, [allergy(penicillin, parts), visit])).toMatchObject({ because: 'not-found' });
  });

  it.each([
    ['over since nobody knows when', clinical('inactive'), 'status-at-time-unknown'],
    ['recorded nobody knows when', { recordedDate: undefined }, 'time-unknown'],
    ['with a modifier', { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }, 'undecodable'],
    ['a text only', { code: { text: 'penicillin' } }, 'undecodable'],
    ['without a code', { code: undefined }, 'undecodable'],
  ])('is a reason where it is %s', (_, parts, because) => {
    expect(extractOne(definition(), [allergy(penicillin, parts), visit])).toMatchObject({ state: 'missing', because });
    // Nor does a statement that none is known hide it.
    expect(extractOne(definition(), [allergy(penicillin, parts), allergy(none)])).toMatchObject({ because });
  });

  it('counts for ever though it is over, and a statement that none was known does not', () => {
    const ever = definition({ when: 'ever' });
    expect(extractOne(ever, [allergy(penicillin, clinical('resolved'))])).toMatchObject({ value: true });
    const was = allergy(none, { ...clinical('inactive'), meta: { lastUpdated: '2025-01-01T00:00:00Z' } });
    expect(extractOne(ever, [was])).toMatchObject({ because: 'no-recent-encounter' });
  });

  it('is not seen where it was recorded after as-of, though it says two things at once', () => {
    const reaction = [{ substance: coded(penicillin), manifestation: [{ text: 'rash' }] }];
    const both = (recordedDate: string) => allergy(none, { reaction, recordedDate });
    expect(extractOne(definition(), [both('2026-02-01'), visit])).toMatchObject({ because: 'conflict' });
    expect(extractOne(definition(), [both('2026-04-01'), visit])).toMatchObject({ state: 'assumed-absent' });
  });

  it('counts by its verification where the map says which', () => {
    const confirmed = definition({ verification: ['confirmed'] });
    expect(extractOne(confirmed, [allergy(penicillin, verified('confirmed'))])).toMatchObject({ value: true });
    expect(extractOne(confirmed, [allergy(penicillin, verified('unconfirmed')), visit])).toMatchObject({
      state: 'assumed-absent',
    });
    expect(extractOne(confirmed, [allergy(penicillin)])).toMatchObject({ because: 'undecodable' });
  });
});

describe('an allergy that is not understood', () => {
  const suspicious = definition({ suspectText: ['penicillin'] });

  it('is no no where the substance of a reaction is told in words only', () => {
    const reaction = [{ substance: { text: 'Penicillin' }, manifestation: [{ text: 'rash' }] }];
    expect(extractOne(suspicious, [allergy('416098002', { reaction }), visit])).toMatchObject({
      because: 'undecodable',
    });
  });

  it('is no explicit no where its verification does not count', () => {
    const confirmed = definition({ verification: ['confirmed'], absent: undefined });
    expect(extractOne(confirmed, [allergy(none, verified('unconfirmed'))])).toMatchObject({ because: 'not-found' });
    expect(extractOne(confirmed, [allergy(none, verified('confirmed'))])).toMatchObject({ value: false });
  });
});
