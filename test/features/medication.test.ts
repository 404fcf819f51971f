import type { Medication } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { encounter, medicationRequest } from '../support/build-record.ts';
import { extractOne } from '../support/extract-one.ts';

const rxNorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const statin: FeatureDefinition = {
  kind: 'medication',
  label: 'Statin',
  codes: [`${rxNorm}|312961`],
  status: ['active'],
  suspectText: ['vastatin'],
  absent: { assume: false, encounterWithin: 'P2Y' },
};
const visit = encounter('2026-01-10T09:00:00Z', '2026-01-10T09:30:00Z');
const medication = (code: string, parts: Partial<Medication> = {}): Medication => ({
  resourceType: 'Medication',
  id: 'm1',
  code: { coding: [{ system: rxNorm, code }] },
  ...parts,
});

describe('a medication feature', () => {
  it('is yes for an active order with a listed code, written at or before as-of', () => {
    expect(extractOne(statin, [medicationRequest('312961', '2025-06-01')])).toMatchObject({
      state: 'observed',
      value: true,
      at: '2025-06-01',
    });
    expect(extractOne(statin, [medicationRequest('312961', '2026-03-02'), visit])).toMatchObject({
      state: 'assumed-absent',
    });
  });

  it.each([
    ['stopped', { status: 'stopped' as const }],
    ['entered in error', { status: 'entered-in-error' as const }],
    ['an order not to give it', { doNotPerform: true }],
    ['only a proposal', { intent: 'proposal' as const }],
    ['only a plan', { intent: 'plan' as const }],
    ['only an option', { intent: 'option' as const }],
  ])('does not count an order that is %s', (_, parts) => {
    expect(extractOne(statin, [medicationRequest('312961', '2025-06-01', parts), visit])).toMatchObject({
      state: 'assumed-absent',
      value: false,
    });
  });

  it.each(['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order'] as const)(
    'counts the intent %s',
    (intent) => {
      expect(extractOne(statin, [medicationRequest('312961', '2025-06-01', { intent })])).toMatchObject({
        value: true,
      });
    },
  );

  it('counts the intents that the map names, and no others', () => {
    const planned: FeatureDefinition = { ...statin, intent: ['plan'] };
    const plan = medicationRequest('312961', '2025-06-01', { intent: 'plan' });
    expect(extractOne(planned, [plan])).toMatchObject({ value: true });
    expect(extractOne(planned, [{ ...plan, doNotPerform: true }, visit])).toMatchObject({ state: 'assumed-absent' });
    expect(extractOne(planned, [medicationRequest('312961', '2025-06-01'), visit])).toMatchObject({
      state: 'assumed-absent',
    });
  });

  it('reads a contained and a referenced Medication', () => {
    const contained = medicationRequest(undefined, '2025-06-01', {
      medicationReference: { reference: '#m' },
      contained: [medication('312961', { id: 'm' })],
    });
    expect(extractOne(statin, [contained])).toMatchObject({ value: true });
    const referenced = medicationRequest(undefined, '2025-06-01', {
      medicationReference: { reference: 'Medication/m1' },
    });
    expect(extractOne(statin, [referenced, medication('312961')])).toMatchObject({
      value: true,
      sources: [{ reference: `MedicationRequest/${referenced.id}` }, { reference: 'Medication/m1' }],
    });
  });

  it('does not read nothing-found as no while a medication cannot be decoded', () => {
    const unresolved = medicationRequest(undefined, '2025-06-01', {
      medicationReference: { reference: 'Medication/gone' },
    });
    expect(extractOne(statin, [unresolved, visit])).toMatchObject({ state: 'missing', because: 'undecodable' });
    const textOnly = medicationRequest(undefined, '2025-06-01', {
      medicationCodeableConcept: { text: 'cholesterol pill' },
    });
    expect(extractOne(statin, [textOnly, visit])).toMatchObject({ because: 'undecodable' });
    const unlisted = medicationRequest(undefined, '2025-06-01', {
      medicationCodeableConcept: { coding: [{ system: rxNorm, code: '999999', display: 'Cerivastatin 0.3 MG' }] },
    });
    expect(extractOne(statin, [unlisted, visit])).toMatchObject({ because: 'undecodable' });
    const digoxin = { coding: [{ system: rxNorm, code: '197604', display: 'Digoxin 0.125 MG' }] };
    const other = medicationRequest(undefined, '2025-06-01', { medicationCodeableConcept: digoxin });
    expect(extractOne(statin, [medicationRequest('197604', '2025-06-01'), visit])).toMatchObject({
      because: 'undecodable',
    });
    expect(extractOne(statin, [other, visit])).toMatchObject({
      state: 'assumed-absent',
    });
  });

  it('ignores an undecodable order that would not count anyway', () => {
    const stopped = medicationRequest(undefined, '2025-06-01', {
      status: 'stopped',
      medicationReference: { reference: 'Medication/gone' },
    });
    expect(extractOne(statin, [stopped, visit])).toMatchObject({ state: 'assumed-absent' });
  });

  it('does not guess when an order was written', () => {
    expect(extractOne(statin, [medicationRequest('312961', undefined), visit])).toMatchObject({
      because: 'time-unknown',
    });
  });

  it('does not read an order whose status is unknown as a no', () => {
    const unknown = medicationRequest('312961', '2025-06-01', { status: 'unknown' });
    expect(extractOne(statin, [unknown, visit])).toMatchObject({ state: 'missing', because: 'undecodable' });
    const digoxin = { coding: [{ system: rxNorm, code: '197604', display: 'Digoxin 0.125 MG' }] };
    const other = medicationRequest(undefined, '2025-06-01', { status: 'unknown', medicationCodeableConcept: digoxin });
    expect(extractOne(statin, [other, visit])).toMatchObject({ state: 'assumed-absent' });
  });

  it('does not read a Medication that was entered in error, or that carries a modifier that is not known', () => {
    const parts = [{ status: 'entered-in-error' as const }, { modifierExtension: [{ url: 'http://example.org/not' }] }];
    for (const part of parts) {
      const contained = medicationRequest(undefined, '2025-06-01', {
        medicationReference: { reference: '#m' },
        contained: [medication('312961', { id: 'm', ...part })],
      });
      expect(extractOne(statin, [contained, visit])).toMatchObject({ because: 'undecodable' });
    }
  });

  it('does not guess on which side of as-of an order of that year was written', () => {
    expect(extractOne(statin, [medicationRequest('312961', '2026'), visit])).toMatchObject({ because: 'time-unknown' });
  });
});

describe('a medication feature with ingredients', () => {
  const byIngredient: FeatureDefinition = { ...statin, ingredients: [`${rxNorm}|36567`] };
  const order = medicationRequest(undefined, '2025-06-01', { medicationReference: { reference: 'Medication/m1' } });
  const holding = (codes: readonly string[], parts: Partial<Medication> = {}): Medication => ({
    resourceType: 'Medication',
    id: 'm1',
    code: { coding: [{ system: 'http://hospital.example/drugs', code: '17' }], text: 'Tablet of the house' },
    ingredient: codes.map((code) => ({
      itemCodeableConcept: { coding: [{ system: rxNorm, code }], text: 'ingredient' },
    })),
    ...parts,
  });

  it('is yes for an ordered Medication that holds a listed one, whatever its own code', () => {
    expect(extractOne(byIngredient, [order, holding(['1', '36567']), visit])).toMatchObject({
      state: 'observed',
      value: true,
      sources: [{ reference: `MedicationRequest/${order.id}` }, { reference: 'Medication/m1' }],
    });
    expect(extractOne(byIngredient, [order, holding(['36567'], { code: undefined }), visit])).toMatchObject({
      value: true,
    });
  });

  it('understands a Medication all of whose ingredients are understood', () => {
    expect(extractOne(byIngredient, [order, holding(['1']), visit])).toMatchObject({ state: 'assumed-absent' });
    expect(extractOne(byIngredient, [order, holding(['1'], { code: undefined }), visit])).toMatchObject({
      state: 'assumed-absent',
    });
    expect(extractOne(statin, [order, holding(['1']), visit])).toMatchObject({ because: 'undecodable' });
  });

  it.each([
    ['one is named by a reference alone', [{ itemReference: { reference: 'Substance/1' } }]],
    ['one has a text alone', [{ itemCodeableConcept: { text: 'something' } }]],
    [
      'one reads like a statin',
      [{ itemCodeableConcept: { coding: [{ system: rxNorm, code: '1' }], text: 'Simvastatin' } }],
    ],
    ['there is none', undefined],
  ])('is undecodable where %s', (_, ingredient) => {
    expect(extractOne(byIngredient, [order, holding([], { ingredient }), visit])).toMatchObject({
      because: 'undecodable',
    });
  });

  it('does not believe a known code where an ingredient reads like a statin', () => {
    const known = holding([], {
      code: { coding: [{ system: rxNorm, code: '999' }], text: 'Combi tablet' },
      ingredient: [{ itemCodeableConcept: { text: 'Atorvastatin' } }],
    });
    expect(extractOne(byIngredient, [order, known, visit])).toMatchObject({ because: 'undecodable' });
  });

  it('does not believe ingredients that contradict the name', () => {
    const named = holding(['1'], { code: { text: 'Simvastatin 20 mg' } });
    expect(extractOne(byIngredient, [order, named, visit])).toMatchObject({
      because: 'undecodable',
      detail: "Statin: a medication reads 'vastatin', but its code is not in the list",
    });
  });

  it('does not count what is in it but not active', () => {
    const inactive = holding([], {
      ingredient: [
        { isActive: false, itemCodeableConcept: { coding: [{ system: rxNorm, code: '36567' }], text: 'x' } },
        { itemCodeableConcept: { coding: [{ system: rxNorm, code: '1' }], text: 'y' } },
      ],
    });
    expect(extractOne(byIngredient, [order, inactive, visit])).toMatchObject({ state: 'assumed-absent' });
  });
});

describe('several orders', () => {
  it('are dated by the last of them, whichever is found first', () => {
    const two = [medicationRequest('312961', '2024-01-01'), medicationRequest('312961', '2025-01-01')];
    for (const resources of [two, [...two].reverse()])
      expect(extractOne(statin, resources)).toMatchObject({ value: true, at: '2025-01-01' });
  });
});
