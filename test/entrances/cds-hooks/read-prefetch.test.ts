import type { Bundle, OperationOutcome } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { readPrefetch } from '../../../src/entrances/cds-hooks/read-prefetch.ts';
import { createResourceValidator } from '../../../src/fhir/validate-resource.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { observation, patient } from '../../support/build-record.ts';
import { searchset } from '../../support/cds-call.ts';

const validator = createResourceValidator();
const types = new Map([
  ['patient', 'Patient'],
  ['observations', 'Observation'],
  ['medicationRequests', 'MedicationRequest'],
]);
const somebody = patient({ id: '1' });
const result = observation('2093-3', { value: 5 }, '2026-02-01T09:00:00Z', { id: 'o1' });
const failed: OperationOutcome = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'forbidden' }],
};

const read = (prefetch: Record<string, unknown>) =>
  readPrefetch(prefetch, {
    patientId: '1',
    types,
    findings: (value, path, options) => validator.findings(value, path, options),
  });

function refusal(prefetch: Record<string, unknown>): PredictionError {
  try {
    read(prefetch);
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'PARAMETER_INVALID') return error;
    throw error;
  }
  throw new Error('the prefetch was accepted');
}

describe('a prefetch answers', () => {
  test('with the resource of a read and those of a search, each with its place', () => {
    const answers = read({ patient: somebody, observations: searchset([result]) });
    expect(answers.get('patient')).toEqual([{ resource: somebody, expression: 'prefetch.patient' }]);
    expect(answers.get('observations')).toEqual([
      { resource: result, expression: 'prefetch.observations.entry[0].resource' },
    ]);
  });

  test('CDS-23 with nothing, where it is null or a Bundle without entries', () => {
    expect(read({ patient: null, observations: null })).toEqual(
      new Map([
        ['patient', []],
        ['observations', []],
      ]),
    );
    expect(read({ observations: searchset([]) }).get('observations')).toEqual([]);
    expect(read({ observations: { resourceType: 'Bundle', type: 'searchset' } }).get('observations')).toEqual([]);
  });

  test('CDS-23 not at all, where the key is not there', () => {
    expect(read({})).toEqual(new Map());
  });

  test('CDS-25 from a collection too, and from a lone resource', () => {
    const collection: Bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: result }] };
    expect(read({ observations: collection }).get('observations')).toHaveLength(1);
    expect(read({ observations: result }).get('observations')).toHaveLength(1);
  });

  test('keys that nobody asked for are ignored, whatever they hold', () => {
    expect(read({ patientToGreet: 7, constructor: {}, medication: { response: {} } })).toEqual(new Map());
  });

  test('Medications beside orders are held; what else was included is not', () => {
    const medication = { resourceType: 'Medication', id: 'm' } as const;
    const order = {
      resourceType: 'MedicationRequest',
      id: 'r',
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/1' },
      medicationReference: { reference: 'Medication/m' },
    } as const;
    const organization = { resourceType: 'Organization', id: 'x', name: 'Synthetic' } as const;
    const answers = read({ medicationRequests: searchset([order], [medication, organization]) });
    expect(answers.get('medicationRequests')?.map(({ resource }) => resource.resourceType)).toEqual([
      'MedicationRequest',
      'Medication',
    ]);
  });
});

describe('a prefetch does not answer', () => {
  test.each([
    ['CDS-24 an OperationOutcome', failed],
    ['CDS-24 a Bundle that holds a failed OperationOutcome', { ...searchset([result]), entry: [{ resource: failed }] }],
    ['CDS-25 a page that has a next one', { ...searchset([result]), total: undefined, link: [next()] }],
    ['CDS-25 a page of more matches', { ...searchset([result]), total: 2, link: [next()] }],
    ['fewer matches than it counts', { ...searchset([result]), total: 2 }],
    ['parts of resources', searchset([{ ...result, meta: { tag: [{ code: 'SUBSETTED' }] } }])],
  ])('with %s', (_, observations) => {
    expect(read({ observations }).has('observations')).toBe(false);
  });

  test('but does with a next link beside every match, and with a warning', () => {
    const warning: OperationOutcome = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', code: 'informational' }],
    };
    const bundle = searchset([result]);
    expect(read({ observations: { ...bundle, link: [next()] } }).get('observations')).toHaveLength(1);
    const warned = { ...bundle, entry: [...(bundle.entry ?? []), { resource: warning }] };
    expect(read({ observations: warned }).get('observations')).toHaveLength(1);
  });

  function next() {
    return { relation: 'next', url: 'https://ehr.example/fhir?page=2' };
  }
});

describe('a prefetch is refused, with where,', () => {
  test.each([
    ['another patient', { patient: patient({ id: '2' }) }, 'prefetch.patient'],
    ['a patient without id', { patient: { ...somebody, id: undefined } }, 'prefetch.patient'],
    ['a Bundle for a read', { patient: searchset([somebody]) }, 'prefetch.patient'],
    ['another type for a read', { patient: result }, 'prefetch.patient'],
    ['another type in a search', { observations: searchset([somebody]) }, 'prefetch.observations.entry[0].resource'],
    ['a Bundle that is no search', { observations: { resourceType: 'Bundle', type: 'transaction' } }, 'type'],
    ['a Bundle without a type', { observations: { resourceType: 'Bundle' } }, 'prefetch.observations'],
    ['text', { observations: 'text' }, 'prefetch.observations'],
    ['a number', { observations: 7 }, 'prefetch.observations'],
    ['a list', { observations: [result] }, 'prefetch.observations'],
    ['an object that is no resource', { observations: {} }, 'prefetch.observations'],
    ['an entry that is no resource', { observations: searchset([{ a: 1 } as never]) }, 'prefetch.observations'],
    ['an entry that is text', { observations: searchset(['x' as never]) }, 'prefetch.observations'],
    [
      'an outcome without issues',
      { observations: searchset([{ resourceType: 'OperationOutcome' } as never]) },
      'prefetch.observations',
    ],
  ])('%s', (_, prefetch, place) => {
    const { issues } = refusal(prefetch);
    expect(issues[0]?.expression ?? '').toContain(place);
  });
});
