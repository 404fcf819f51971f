import type { FamilyMemberHistory, FamilyMemberHistoryCondition } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { encounter } from '../support/build-record.ts';
import { extractOne } from '../support/extract-one.ts';

// As-of is 2026-03-01T12:00:00Z.
const snomed = 'http://snomed.info/sct';
const role = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
const definition = (parts: object = {}): FeatureDefinition => ({
  kind: 'family-history',
  label: 'Coronary disease of a parent',
  codes: [`${snomed}|53741008`],
  relationships: [`${role}|FTH`, `${role}|MTH`],
  onsetBefore: 60,
  absent: { assume: false, encounterWithin: 'P2Y' },
  ...parts,
});
const anyAge = definition({ onsetBefore: undefined });
const age = (value: number, parts: object = {}) => ({
  value,
  unit: 'a',
  system: 'http://unitsofmeasure.org',
  code: 'a',
  ...parts,
});
const disease = (parts: Partial<FamilyMemberHistoryCondition> = {}): FamilyMemberHistoryCondition => ({
  code: { coding: [{ system: snomed, code: '53741008' }] },
  ...parts,
});
const other = disease({ code: { coding: [{ system: snomed, code: '73211009' }] } });
let sequence = 0;
const history = (
  condition: FamilyMemberHistoryCondition[],
  parts: Partial<FamilyMemberHistory> = {},
): FamilyMemberHistory => {
  sequence += 1;
  return {
    resourceType: 'FamilyMemberHistory',
    id: `family-${sequence}`,
    status: 'completed',
    patient: { reference: 'Patient/1' },
    relationship: { coding: [{ system: role, code: 'FTH' }] },
    date: '2024-05-01',
    condition,
    ...parts,
  };
};
const visit = encounter('2026-01-10T09:00:00Z', '2026-01-10T09:30:00Z');

describe('a disease of a relative', () => {
  it('is yes for a relative who counts', () => {
    expect(extractOne(anyAge, [history([other, disease()])])).toMatchObject({
      state: 'observed',
      value: true,
      at: '2024-05-01',
    });
    expect(extractOne(anyAge, [history([disease()], { status: 'partial' })])).toMatchObject({ value: true });
  });

  it.each([
    ['59 years', { onsetAge: age(59) }, true],
    ['60 years', { onsetAge: age(60) }, false],
    ['700 months', { onsetAge: age(700, { code: 'mo', unit: 'mo' }) }, true],
    ['less than 60', { onsetAge: age(60, { comparator: '<' }) }, true],
    ['more than 60', { onsetAge: age(60, { comparator: '>' }) }, false],
    ['50 to 59', { onsetRange: { low: age(50), high: age(59) } }, true],
    ['60 to 69', { onsetRange: { low: age(60), high: age(69) } }, false],
  ])('counts by its onset: %s', (_, onset, isYes) => {
    const read = extractOne(definition(), [history([disease(onset)]), visit]);
    expect(read).toMatchObject(isYes ? { value: true } : { state: 'assumed-absent', value: false });
  });

  it.each([
    ['is not given', {}],
    ['may lie on either side', { onsetRange: { low: age(50), high: age(69) } }],
    ['is a text', { onsetString: 'middle age' }],
    ['is more than 40', { onsetAge: age(40, { comparator: '>' }) }],
    ['has no unit', { onsetAge: { value: 50 } }],
  ])('is no no where the onset %s', (_, onset) => {
    expect(extractOne(definition(), [history([disease(onset)]), visit])).toMatchObject({ because: 'time-unknown' });
  });

  it('is a no only where a completed history of such a relative does not name it', () => {
    expect(extractOne(anyAge, [history([other]), visit])).toMatchObject({ state: 'assumed-absent', value: false });
    expect(extractOne(anyAge, [visit])).toMatchObject({ because: 'not-found' });
    const aunt = { relationship: { coding: [{ system: role, code: 'AUNT' }] } };
    expect(extractOne(anyAge, [history([disease()], aunt), visit])).toMatchObject({ because: 'not-found' });
    expect(extractOne(anyAge, [history([other])])).toMatchObject({ because: 'no-recent-encounter' });
    expect(extractOne(definition({ absent: undefined }), [history([other]), visit])).toMatchObject({
      because: 'not-found',
    });
  });

  it.each([
    ['is partial', history([other], { status: 'partial' }), 'undecodable'],
    ['is not known', history([], { status: 'health-unknown' }), 'undecodable'],
    ['is about nobody knows whom', history([disease()], { relationship: { text: 'Dad' } }), 'undecodable'],
    ['names a disease by a text', history([disease({ code: { text: 'heart' } })]), 'undecodable'],
    [
      'carries a modifier',
      history([other], { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }),
      'undecodable',
    ],
    [
      'names a disease with a modifier',
      history([disease({ modifierExtension: [{ url: 'urn:x', valueBoolean: true }] })]),
      'undecodable',
    ],
    ['was taken nobody knows when', history([disease()], { date: undefined }), 'time-unknown'],
  ])('is no no where a history %s', (_, given, because) => {
    expect(extractOne(anyAge, [given, history([other]), visit])).toMatchObject({ state: 'missing', because });
  });

  it('does not see what was entered in error, or known only after as-of', () => {
    for (const parts of [{ status: 'entered-in-error' as const }, { date: '2026-03-02' }])
      expect(extractOne(anyAge, [history([disease()], parts), history([other]), visit])).toMatchObject({
        state: 'assumed-absent',
      });
  });
});

describe('a family history that says too little', () => {
  const whole = history([other]);

  it('is no no where neither the relative nor the disease is understood', () => {
    const suspicious = definition({ onsetBefore: undefined, suspectText: ['coronary'] });
    const vague = history([disease({ code: { text: 'coronary heart disease' } })], {
      relationship: { text: 'mother' },
    });
    expect(extractOne(suspicious, [whole, vague, visit])).toMatchObject({ because: 'undecodable' });
  });

  it('is no no where it says that it is withheld', () => {
    const withheld = history([], {
      dataAbsentReason: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/history-absent-reason', code: 'withheld' }],
      },
    });
    expect(extractOne(anyAge, [withheld, visit])).toMatchObject({ because: 'undecodable' });
  });
});
