import type { Observation, Quantity } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import type { FeatureDefinition, ObservationDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { observation } from '../support/build-record.ts';
import { extractOne } from '../support/extract-one.ts';

const localUnits = {
  site: 'site file st-elsewhere version 1',
  units: { 'mgs/dl': 'mg/dL', mikromol: 'umol/L', 'mg/dL': 'umol/L' },
};
const creatinine: ObservationDefinition = {
  kind: 'observation',
  label: 'Creatinine',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2160-0'],
  window: 'P1Y',
  pick: 'latest',
  analyte: 'creatinine',
  plausible: [0.1, 40],
  missing: 'abstain',
  localUnits,
};
const words = 'local unit mgs/dl read as mg/dL by site file st-elsewhere version 1';

function measured(quantity: Quantity, time = '2026-02-01T08:00:00Z'): Observation {
  return observation('2160-0', quantity, time);
}

function valueFrom(quantity: Quantity, definition: FeatureDefinition = creatinine): FeatureValue {
  return extractOne(definition, [measured(quantity)]);
}

describe('a unit text of the site', () => {
  test('is read where the value has no UCUM code, and what was measured stays beside what was made of it', () => {
    expect(valueFrom({ value: 1.2, unit: 'mgs/dl' })).toMatchObject({
      state: 'observed',
      value: 1.2,
      original: { value: 1.2, unit: 'mgs/dl' },
      detail: words,
    });
    expect(valueFrom({ value: 1.2, unit: 'mgs/dl', system: 'urn:oid:1.2.3', code: 'U17' })).toMatchObject({
      state: 'observed',
      value: 1.2,
      detail: words,
    });
  });

  test('is converted like the UCUM unit that it means', () => {
    const local = valueFrom({ value: 88.4, unit: 'mikromol' });
    const coded = valueFrom({ value: 88.4, unit: 'umol/L', system: 'http://unitsofmeasure.org', code: 'umol/L' });
    expect(local).toMatchObject({ state: 'observed', original: { value: 88.4, unit: 'mikromol' } });
    expect('value' in local && local.value).toBe('value' in coded && coded.value);
  });

  test('means nothing without the site file, in another case, or with a space more', () => {
    const { localUnits: _, ...plain } = creatinine;
    expect(valueFrom({ value: 1.2, unit: 'mgs/dl' }, plain)).toMatchObject({ because: 'unit-unknown' });
    for (const unit of ['MGS/DL', 'mgs/dl ', 'constructor', '__proto__'])
      expect(valueFrom({ value: 1.2, unit })).toMatchObject({ because: 'unit-unknown' });
  });

  test('never overrules a UCUM code, and contradicts one that means something else', () => {
    const ucum = { system: 'http://unitsofmeasure.org' };
    const agreeing = valueFrom({ value: 1.2, unit: 'mgs/dl', ...ucum, code: 'mg/dL' });
    expect(agreeing).toMatchObject({ state: 'observed', value: 1.2 });
    expect(agreeing).not.toHaveProperty('detail');
    expect(valueFrom({ value: 88.4, unit: 'mgs/dl', ...ucum, code: 'umol/L' })).toMatchObject({
      because: 'unit-contradictory',
    });
  });

  test('that is UCUM by accident does not contradict the code that it means', () => {
    const platelets = { ...creatinine, unit: '10*3/uL', plausible: [1, 2000] as [number, number] };
    const { analyte: _, localUnits: __, ...plain } = platelets;
    const coded = { value: 250, unit: 'K/uL', system: 'http://unitsofmeasure.org', code: '10*3/uL' };
    expect(valueFrom(coded, plain)).toMatchObject({ because: 'unit-contradictory' });
    const known = { ...plain, localUnits: { ...localUnits, units: { 'K/uL': '10*3/uL' } } };
    expect(valueFrom(coded, known)).toMatchObject({ state: 'observed', value: 250 });
    expect(valueFrom({ value: 250, unit: 'K/uL' }, known)).toMatchObject({ state: 'observed', value: 250 });
  });

  test('never overrules a unit that the map itself names', () => {
    expect(valueFrom({ value: 1.2, unit: 'mg/dL' })).toEqual(
      expect.objectContaining({ state: 'observed', value: 1.2 }),
    );
    expect(valueFrom({ value: 1.2, unit: 'mg/dL' })).not.toHaveProperty('original');
  });

  test('that a code of no system contradicts is not read', () => {
    expect(valueFrom({ value: 1.2, unit: 'mgs/dl', code: 'umol/L' })).toMatchObject({ because: 'unit-contradictory' });
    expect(valueFrom({ value: 1.2, unit: 'mgs/dl', code: 'mg/dL' })).toMatchObject({
      state: 'observed',
      detail: words,
    });
  });

  test('leaves a value that cannot be true a reason, which names the site file', () => {
    const value = valueFrom({ value: 900, unit: 'mgs/dl' });
    expect(value).toMatchObject({ state: 'missing', because: 'suspected-unit-error' });
    expect(value).toMatchObject({ detail: expect.stringContaining(words) });
  });

  test('whose UCUM unit cannot become that of the feature is unconvertible', () => {
    const definition = { ...creatinine, localUnits: { ...localUnits, units: { pounds: '[lb_av]' } } };
    expect(valueFrom({ value: 1, unit: 'pounds' }, definition)).toMatchObject({ because: 'unconvertible' });
  });

  test('conflicts with another value of the same time, as any unit does', () => {
    const other = measured({ value: 1.4, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' });
    expect(extractOne(creatinine, [measured({ value: 1.2, unit: 'mgs/dl' }), other])).toMatchObject({
      because: 'conflict',
    });
  });

  test('is told of in a summary too', () => {
    const mean = { ...creatinine, pick: 'mean' as const };
    const resources = [
      measured({ value: 1, unit: 'mgs/dl' }, '2026-01-01T08:00:00Z'),
      measured({ value: 2, unit: 'mg/dL' }, '2026-02-01T08:00:00Z'),
    ];
    expect(extractOne(mean, resources)).toMatchObject({ state: 'derived', value: 1.5, detail: words });
  });

  test('stands for a limit as the map says', () => {
    const definition: ObservationDefinition = { ...creatinine, limits: { '<': 'limit' } };
    expect(valueFrom({ value: 0.3, unit: 'mgs/dl', comparator: '<' }, definition)).toMatchObject({
      value: 0.3,
      original: { value: 0.3, unit: 'mgs/dl', comparator: '<' },
      detail: words,
    });
  });
});
