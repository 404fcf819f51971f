import type { MedicationAdministration, MedicationRequest, MedicationStatement, Patient } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import { guessedFeatures } from '../../src/features/todays-status.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import { appointment, encounter, medicationRequest, patient, recordOf } from '../support/build-record.ts';
import { noPopulation } from '../support/extract-one.ts';

const statin = '36567';
const other = '2551';
const asOf = '2026-03-01T12:00:00Z';
const before = { lastUpdated: '2026-02-01T00:00:00Z' };
const after = { lastUpdated: '2026-04-01T00:00:00Z' };

const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const statinDefinition = {
  kind: 'medication' as const,
  label: 'statin',
  codes: [`${rxnorm}|${statin}`],
  status: ['active'],
  absent: { assume: false as const, encounterWithin: 'P2Y' },
};

const features: Record<string, FeatureDefinition> = {
  statin: statinDefinition,
  either: { kind: 'first-of', label: 'statin or statin', of: ['statin', 'statinToo'], passOver: ['undecodable'] },
  statinToo: statinDefinition,
  age: { kind: 'demographics', label: 'age', element: 'age' },
};

function guessedFrom(resources: readonly RecordResource[], of = features): string[] {
  const compiled = compileFeatureMap({ language: 1, features: of, population: noPopulation });
  const record = recordOf([encounter('2026-01-10T08:00:00Z', '2026-01-10T09:00:00Z'), ...resources], asOf);
  const tensors = {
    input: { name: 'x', type: 'float64' as const, columns: [] },
    output: { name: 'y', type: 'float64' as const, columns: 1 },
  };
  const { features: values } = extractFeatures(record, compiled, { tensors, outcomes: [] }, new Map(), 'UTC');
  return [...guessedFeatures(compiled, values, record, 'UTC')].sort();
}

const order = (code: string, written: string | undefined, parts: Partial<MedicationRequest>) =>
  medicationRequest(code, written, parts);
const all = ['either', 'statin', 'statinToo'];

describe('a value that rests on the status of today', () => {
  it('is a yes from an order that was changed after as-of, for it may have been stopped then', () => {
    expect(guessedFrom([order(statin, '2026-01-10', { meta: after })])).toEqual(all);
  });

  it('is a no beside an order that was changed after as-of, for it may have been active then', () => {
    expect(guessedFrom([order(statin, '2026-01-10', { status: 'stopped', meta: after })])).toEqual(all);
    expect(guessedFrom([order(other, undefined, { status: 'stopped', meta: after })])).toEqual(all);
  });

  it('is one from an order that does not say when it was changed', () => {
    expect(guessedFrom([order(statin, '2026-01-10', {})])).toEqual(all);
  });

  it('is none where no order was changed after as-of', () => {
    expect(guessedFrom([order(statin, '2026-01-10', { meta: before })])).toEqual([]);
    expect(guessedFrom([order(statin, '2026-01-10', { status: 'stopped', meta: before })])).toEqual([]);
    expect(guessedFrom([])).toEqual([]);
  });

  it('is no yes that another order of the time proves', () => {
    expect(
      guessedFrom([order(statin, '2026-01-10', { meta: after }), order(statin, '2026-01-11', { meta: before })]),
    ).toEqual([]);
  });

  it('is none because of an order that was written after as-of: it was not seen', () => {
    expect(guessedFrom([order(statin, '2026-03-15', { meta: after })])).toEqual([]);
  });

  it('is none of a medication that is told by its period', () => {
    const definition = { ...statinDefinition, activeAt: 'period' as const };
    expect(guessedFrom([order(statin, '2026-01-10', { meta: after })], { statin: definition })).toEqual([]);
  });

  it('is one of a statement, and none where a dose that was given says the same', () => {
    const definition: FeatureDefinition = {
      ...statinDefinition,
      from: ['statement', 'administration'],
      status: { statement: ['active'], administration: ['completed'] },
      window: 'P90D',
    };
    const subject = { reference: 'Patient/1' };
    const medicationCodeableConcept = { coding: [{ system: rxnorm, code: statin }] };
    const taken: MedicationStatement = {
      resourceType: 'MedicationStatement',
      id: 'taken',
      status: 'active',
      subject,
      medicationCodeableConcept,
      effectiveDateTime: '2026-01-10',
      meta: after,
    };
    const given: MedicationAdministration = {
      resourceType: 'MedicationAdministration',
      id: 'given',
      status: 'completed',
      subject,
      medicationCodeableConcept,
      effectiveDateTime: '2026-01-12',
      meta: after,
    };
    expect(guessedFrom([taken], { statin: definition })).toEqual(['statin']);
    expect(guessedFrom([given], { statin: definition })).toEqual([]);
    expect(guessedFrom([taken, given], { statin: definition })).toEqual([]);
  });

  it('is none of a kind that is told from dates, whenever its resource was changed', () => {
    const later: Patient = patient({ meta: after });
    expect(guessedFrom([later])).toEqual([]);
  });
});

describe('an address without a period', () => {
  const postal: Record<string, FeatureDefinition> = {
    state: {
      kind: 'address',
      label: 'state',
      part: 'state',
      use: ['home'],
      vocabulary: { maine: ['ME'] },
    } as FeatureDefinition,
  };

  it.each([
    ['of a Patient who was changed after as-of is a guess', after, undefined, ['state']],
    ['of a Patient who was not changed since is none', before, undefined, []],
    ['with a period is none', after, { start: '2020-01-01' }, []],
  ])('%s', (_, meta, period, guessed) => {
    const compiled = compileFeatureMap({ language: 1, features: postal, population: noPopulation });
    const record = recordOf(
      [patient({ meta, address: [{ use: 'home', state: 'ME', ...(period && { period }) }] })],
      asOf,
    );
    const tensors = {
      input: { name: 'x', type: 'float64' as const, columns: [{ feature: 'state' }] },
      output: { name: 'y', type: 'float64' as const, columns: 1 },
    };
    const { features: values } = extractFeatures(record, compiled, { tensors, outcomes: [] }, new Map(), 'UTC');
    expect(values.get('state')).toMatchObject({ state: 'observed', value: 'maine' });
    expect([...guessedFeatures(compiled, values, record, 'UTC')]).toEqual(guessed);
  });
});

describe('an appointment', () => {
  const leadTime: FeatureDefinition = { kind: 'appointment', label: 'lead time', pick: 'lead-time', per: 'd' };
  const guessesOf = (...appointments: RecordResource[]) => {
    const compiled = compileFeatureMap({ language: 1, features: { leadTime }, population: noPopulation });
    const record = recordOf(appointments, asOf);
    const column = { input: { name: 'x', type: 'float64' as const, columns: [{ feature: 'leadTime' }] } };
    const tensors = { ...column, output: { name: 'y', type: 'float64' as const, columns: 1 } };
    const { features: values } = extractFeatures(record, compiled, { tensors, outcomes: [] }, new Map(), 'UTC');
    return [...guessedFeatures(compiled, values, record, 'UTC')];
  };

  it('is a guess where one of that time was changed since, and may have been moved or cancelled', () => {
    expect(guessesOf(appointment('2026-03-10T09:00:00Z', { meta: before }))).toEqual([]);
    expect(guessesOf(appointment('2026-03-10T09:00:00Z', { meta: after }))).toEqual(['leadTime']);
    const later = { meta: after, created: '2026-03-05T09:00:00Z' };
    expect(guessesOf(appointment('2026-03-10T09:00:00Z', later))).toEqual([]);
  });
});
