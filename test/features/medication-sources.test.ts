import type {
  MedicationAdministration,
  MedicationDispense,
  MedicationRequest,
  MedicationStatement,
} from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { MedicationDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { encounter, medicationRequest } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

const rxNorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const statin: MedicationDefinition = {
  kind: 'medication',
  label: 'Statin',
  codes: [`${rxNorm}|312961`],
  status: ['active'],
  absent: { assume: false, encounterWithin: 'P10Y' },
};
const visit = encounter('2020-01-10T09:00:00Z', '2020-01-10T09:30:00Z');
const listed = { coding: [{ system: rxNorm, code: '312961' }] };
const subject = { reference: 'Patient/1' };
const later = { meta: { lastUpdated: '2026-02-01T00:00:00Z' } };

const ordered = (parts: Partial<MedicationRequest> = {}) => medicationRequest('312961', '2021-01-01', parts);
const statement = (parts: Partial<MedicationStatement>): MedicationStatement => ({
  resourceType: 'MedicationStatement',
  id: 's1',
  status: 'active',
  medicationCodeableConcept: listed,
  subject,
  ...parts,
});
const administration = (parts: Partial<MedicationAdministration>): MedicationAdministration => ({
  resourceType: 'MedicationAdministration',
  id: 'a1',
  status: 'completed',
  medicationCodeableConcept: listed,
  subject,
  ...parts,
});
const dispense = (parts: Partial<MedicationDispense>): MedicationDispense => ({
  resourceType: 'MedicationDispense',
  id: 'd1',
  status: 'completed',
  medicationCodeableConcept: listed,
  subject,
  ...parts,
});

describe('a medication feature reads only the sources that the map names', () => {
  const taken = statement({ effectiveDateTime: '2021-01-01' });
  it('a statement is no order, and an order no statement', () => {
    expect(extractOne(statin, [taken, visit])).toMatchObject({ state: 'assumed-absent' });
    const stated: MedicationDefinition = { ...statin, from: ['statement'] };
    expect(extractOne(stated, [taken])).toMatchObject({ state: 'observed', value: true, at: '2021-01-01' });
    expect(extractOne(stated, [ordered(), visit])).toMatchObject({ state: 'assumed-absent' });
  });

  it('each with its own statuses', () => {
    const both: MedicationDefinition = {
      ...statin,
      from: ['request', 'statement'],
      status: { request: ['active'], statement: ['active', 'completed'] },
    };
    const completed = { status: 'completed' as const };
    expect(extractOne(both, [statement({ effectiveDateTime: '2021', ...completed })])).toMatchObject({ value: true });
    expect(extractOne(both, [ordered(completed), visit])).toMatchObject({ state: 'assumed-absent' });
  });

  it('and searches only these', () => {
    const typesOf = (parts: Partial<MedicationDefinition>) =>
      recordQueries(
        { language: 1, features: { statin: { ...statin, ...parts } }, population: noPopulation },
        new Date(0),
        [],
      ).map(({ key, type, codes }) => [key, type, codes]);
    expect(typesOf({})).toEqual([
      ['medicationRequests', 'MedicationRequest', undefined],
      ['encounters', 'Encounter', undefined],
    ]);
    const status = { statement: ['active'], administration: ['completed'], dispense: ['completed'] };
    expect(typesOf({ from: ['dispense', 'statement', 'administration'], status, window: 'P30D' })).toEqual([
      ['medicationStatements', 'MedicationStatement', undefined],
      ['medicationAdministrations', 'MedicationAdministration', undefined],
      ['medicationDispenses', 'MedicationDispense', undefined],
      ['encounters', 'Encounter', undefined],
    ]);
  });
});

describe('a statement', () => {
  const stated: MedicationDefinition = { ...statin, from: ['statement'] };
  it.each<[string, Partial<MedicationStatement>, string]>([
    ['not taken', { status: 'not-taken', effectiveDateTime: '2021-01-01' }, 'assumed-absent'],
    ['of what is only intended', { status: 'intended', effectiveDateTime: '2021-01-01' }, 'assumed-absent'],
    ['of a later time', { effectiveDateTime: '2026-03-02' }, 'assumed-absent'],
    ['written down after as-of', { effectiveDateTime: '2021-01-01', dateAsserted: '2026-03-05' }, 'time-unknown'],
    ['without a time', {}, 'time-unknown'],
    ['of an unknown status', { status: 'unknown', effectiveDateTime: '2021-01-01' }, 'undecodable'],
    ['with a period that only ends', { effectivePeriod: { end: '2027-01-01' } }, 'time-unknown'],
  ])('%s is no yes', (_, parts, wanted) => {
    const value = extractOne(stated, [statement(parts), visit], {});
    expect(value.state === 'missing' ? value.because : value.state).toBe(wanted);
  });

  it('names its Medication by a reference, contained or not', () => {
    const held = { resourceType: 'Medication' as const, id: 'm1', code: listed };
    const { medicationCodeableConcept: _, ...named } = statement({ effectiveDateTime: '2021-01-01' });
    const referring = { ...named, medicationReference: { reference: 'Medication/m1' } };
    expect(extractOne(stated, [referring, held])).toMatchObject({ value: true });
    const containing = { ...named, medicationReference: { reference: '#m1' }, contained: [held] };
    expect(extractOne(stated, [containing])).toMatchObject({ value: true });
    expect(extractOne(stated, [referring, visit])).toMatchObject({ because: 'undecodable' });
  });
});

describe('an administration', () => {
  const given: MedicationDefinition = { ...statin, from: ['administration'], status: ['completed'], window: 'P7D' };
  it.each<[string, Partial<MedicationAdministration>, string]>([
    ['in the window', { effectiveDateTime: '2026-02-25T08:00:00Z' }, 'observed'],
    ['before the window', { effectiveDateTime: '2026-02-20T08:00:00Z' }, 'assumed-absent'],
    ['after as-of', { effectiveDateTime: '2026-03-01T13:00:00Z' }, 'assumed-absent'],
    ['that was not done', { status: 'not-done', effectiveDateTime: '2026-02-25T08:00:00Z' }, 'assumed-absent'],
    ['of some time in that month', { effectiveDateTime: '2026-02' }, 'time-unknown'],
    ['that ended in the window', { effectivePeriod: { start: '2026-02-01', end: '2026-02-25' } }, 'observed'],
    ['that began long ago and says no end', { effectivePeriod: { start: '2026-02-01' } }, 'time-unknown'],
    ['over before the window', { effectivePeriod: { start: '2026-02-01', end: '2026-02-10' } }, 'assumed-absent'],
  ])('%s: %s', (_, parts, wanted) => {
    const value = extractOne(given, [administration(parts), visit]);
    expect(value.state === 'missing' ? value.because : value.state).toBe(wanted);
  });

  it('that is still given at as-of counts, however long ago it began', () => {
    const running: MedicationDefinition = { ...given, status: ['completed', 'in-progress'] };
    const infusion = administration({ status: 'in-progress', effectivePeriod: { start: '2026-01-01T08:00:00Z' } });
    expect(extractOne(running, [infusion])).toMatchObject({ value: true });
  });
});

describe('a dispense', () => {
  const days = (value: number, code = 'd') => ({ value, unit: 'days', system: 'http://unitsofmeasure.org', code });
  const supplied: MedicationDefinition = {
    ...statin,
    from: ['dispense'],
    status: ['completed'],
    activeAt: 'period',
  };
  it.each<[string, Partial<MedicationDispense>, string]>([
    ['whose supply lasts', { whenHandedOver: '2026-02-01', daysSupply: days(30) }, 'observed'],
    ['whose supply is used up', { whenHandedOver: '2026-01-01', daysSupply: days(30) }, 'assumed-absent'],
    ['handed over after as-of', { whenHandedOver: '2026-03-02', daysSupply: days(30) }, 'assumed-absent'],
    ['of a supply that it does not say', { whenHandedOver: '2026-02-28' }, 'time-unknown'],
    ['of a supply without a unit', { whenHandedOver: '2026-02-28', daysSupply: { value: 30 } }, 'time-unknown'],
    ['of a supply in tablets', { whenHandedOver: '2026-02-28', daysSupply: days(30, '{tbl}') }, 'time-unknown'],
    ['that was declined', { status: 'declined', whenHandedOver: '2026-02-01', daysSupply: days(30) }, 'assumed-absent'],
  ])('%s: %s', (_, parts, wanted) => {
    const value = extractOne(supplied, [dispense(parts), visit]);
    expect(value.state === 'missing' ? value.because : value.state).toBe(wanted);
  });

  it('counts in its window where supplies are not counted', () => {
    const recent: MedicationDefinition = { ...supplied, activeAt: 'status', window: 'P90D' };
    expect(extractOne(recent, [dispense({ whenHandedOver: '2026-01-01' })])).toMatchObject({ value: true });
    expect(extractOne(recent, [dispense({ whenHandedOver: '2025-11-01' }), visit])).toMatchObject({
      state: 'assumed-absent',
    });
  });
});

describe('what was active at as-of by its period', () => {
  const byPeriod: MedicationDefinition = { ...statin, activeAt: 'period' };
  const bounded = (start: string, end?: string): Partial<MedicationRequest> => ({
    dosageInstruction: [{ timing: { repeat: { boundsPeriod: end === undefined ? { start } : { start, end } } } }],
  });
  const standing = (parts: Partial<MedicationRequest>, asOf = '2023-06-01T12:00:00Z') => {
    const value = extractOne(byPeriod, [ordered(parts), visit], { asOf });
    return value.state === 'missing' ? value.because : value.state;
  };
  const supply = { value: 90, unit: 'days', system: 'http://unitsofmeasure.org', code: 'd' };

  it.each<[string, Partial<MedicationRequest>, string]>([
    ['an order that is active today', {}, 'observed'],
    ['an order whose bounds hold as-of', bounded('2023-01-01', '2024-01-01'), 'observed'],
    ['an order whose bounds were over', bounded('2022-01-01', '2023-01-01'), 'assumed-absent'],
    ['an order whose bounds had not begun', bounded('2023-07-01', '2024-01-01'), 'assumed-absent'],
    ['an order whose bounds end some time that year', bounded('2022-01-01', '2023'), 'time-unknown'],
    [
      'an order that was valid',
      { dispenseRequest: { validityPeriod: { start: '2023-01-01', end: '2023-12-31' } } },
      'observed',
    ],
    [
      'an order that was no longer valid',
      { dispenseRequest: { validityPeriod: { end: '2022-12-31' } } },
      'assumed-absent',
    ],
    [
      'an order whose supply, with all repeats, was used up',
      { dispenseRequest: { expectedSupplyDuration: supply, numberOfRepeatsAllowed: 3 } },
      'assumed-absent',
    ],
    [
      'an order whose supply, with all repeats, lasted',
      { dispenseRequest: { expectedSupplyDuration: supply, numberOfRepeatsAllowed: 11 } },
      'observed',
    ],
    ['an order stopped at an unknown time', { status: 'stopped', ...later }, 'status-at-time-unknown'],
    ['an order completed at an unknown time', { status: 'completed' }, 'status-at-time-unknown'],
    ['an order on hold since an unknown time', { status: 'on-hold', ...later }, 'status-at-time-unknown'],
    [
      'an order stopped before as-of',
      { status: 'stopped', meta: { lastUpdated: '2022-01-01T00:00:00Z' } },
      'assumed-absent',
    ],
    [
      'a stopped order whose bounds were over at as-of',
      { status: 'stopped', ...later, ...bounded('2022-01-01', '2023-01-01') },
      'assumed-absent',
    ],
    ['a draft', { status: 'draft', ...later }, 'assumed-absent'],
    ['a cancelled order', { status: 'cancelled', ...later }, 'assumed-absent'],
    ['an order entered in error', { status: 'entered-in-error', ...later }, 'assumed-absent'],
    ['an order not to give it', { doNotPerform: true }, 'assumed-absent'],
    ['an order of an unknown status', { status: 'unknown' }, 'undecodable'],
  ])('%s: %s', (_, parts, wanted) => {
    expect(standing(parts)).toBe(wanted);
  });

  it('takes the latest end of several dosages, and none where one has none', () => {
    const dosage = (end: string) => ({ timing: { repeat: { boundsPeriod: { start: '2021-01-01', end } } } });
    const both = { dosageInstruction: [dosage('2022-01-01'), dosage('2024-01-01')] };
    expect(standing(both)).toBe('observed');
    expect(standing({ dosageInstruction: [dosage('2022-01-01'), {}] })).toBe('observed');
    const range = { timing: { repeat: { boundsRange: { low: supply } } } };
    expect(standing({ dosageInstruction: [dosage('2022-01-01'), range] })).toBe('time-unknown');
  });

  it('a statement that was over later was taken until then, whatever its status today', () => {
    const stated: MedicationDefinition = { ...byPeriod, from: ['statement'] };
    const taken = statement({ status: 'completed', effectivePeriod: { start: '2022-01-01', end: '2024-01-01' } });
    expect(extractOne(stated, [taken], { asOf: '2023-06-01T12:00:00Z' })).toMatchObject({ value: true });
    expect(extractOne(stated, [taken, visit])).toMatchObject({ state: 'assumed-absent' });
    const endless = statement({ status: 'stopped', effectivePeriod: { start: '2022-01-01' } });
    expect(extractOne(stated, [endless, visit])).toMatchObject({ because: 'status-at-time-unknown' });
  });

  it('one sure yes is enough beside a doubt', () => {
    expect(extractOne(byPeriod, [ordered({ status: 'stopped' }), ordered()])).toMatchObject({ value: true });
  });
});

describe('a medication feature is refused', () => {
  it.each<[string, Partial<MedicationDefinition>, string]>([
    ['with one list of statuses for two sources', { from: ['request', 'statement'] }, '/status'],
    ['without statuses of a source', { from: ['request', 'statement'], status: { request: ['active'] } }, '/status'],
    ['with a status that does not exist', { status: ['Active'] }, '/status'],
    ['with the status of another source', { from: ['statement'], status: ['draft'] }, '/status'],
    ['with a status that never counts', { status: ['active', 'entered-in-error'] }, '/status'],
    [
      'with statuses of a source that is not read',
      { status: { request: ['active'], dispense: ['completed'] } },
      '/status/dispense',
    ],
    ['with an intent of what has none', { from: ['statement'], intent: ['order'] }, '/intent'],
    ['as administrations of all times', { from: ['administration'], status: ['completed'] }, '/window'],
    ['with a window of orders', { window: 'P30D' }, '/window'],
  ])('%s', (_, parts, path) => {
    const features = { feature: { ...statin, ...parts } };
    const found = checkFeatureMap({ language: 1, features, population: noPopulation }, []);
    expect(found.map((finding) => finding.path)).toContain(`/features/feature${path}`);
  });
});
