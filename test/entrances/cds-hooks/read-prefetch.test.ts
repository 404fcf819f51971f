import type { Bundle, OperationOutcome } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { readPrefetch } from '../../../src/entrances/cds-hooks/read-prefetch.ts';
import { createResourceValidator } from '../../../src/fhir/validate-resource.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { observation, patient } from '../../support/build-record.ts';
import { searchset } from '../../support/cds-call.ts';
import { countedList } from '../../support/counted-list.ts';

const validator = createResourceValidator();
const types = new Map([
  ['patient', 'Patient'],
  ['observations', 'Observation'],
  ['medicationRequests', 'MedicationRequest'],
  ['medicationStatements', 'MedicationStatement'],
]);
const somebody = patient({ id: '1' });
const result = observation('2093-3', { value: 5 }, '2026-02-01T09:00:00Z', { id: 'o1' });
const failed: OperationOutcome = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'forbidden' }],
};
const medication = { resourceType: 'Medication', id: 'm' } as const;
const order = {
  resourceType: 'MedicationRequest',
  id: 'r',
  status: 'active',
  intent: 'order',
  subject: { reference: 'Patient/1' },
  medicationReference: { reference: 'Medication/m' },
} as const;
const match = { mode: 'match' };
const forbidden = { status: '403 Forbidden' };

const readAll = (prefetch: Record<string, unknown>) =>
  readPrefetch(prefetch, {
    patientId: '1',
    types,
    findings: (value, path) => validator.findings(value, path),
  });

const read = async (prefetch: Record<string, unknown>) => (await readAll(prefetch)).answers;

async function refusal(prefetch: Record<string, unknown>): Promise<PredictionError> {
  try {
    await read(prefetch);
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'PARAMETER_INVALID') return error;
    throw error;
  }
  throw new Error('the prefetch was accepted');
}

describe('a prefetch answers', () => {
  test('with the resource of a read and those of a search, each with its place', async () => {
    const answers = await read({ patient: somebody, observations: searchset([result]) });
    expect(answers.get('patient')).toEqual([{ resource: somebody, expression: 'prefetch.patient' }]);
    expect(answers.get('observations')).toEqual([
      { resource: result, expression: 'prefetch.observations.entry[0].resource' },
    ]);
  });

  test('CDS-23 with nothing, where it is null or a Bundle without entries', async () => {
    expect(await read({ patient: null, observations: null })).toEqual(
      new Map([
        ['patient', []],
        ['observations', []],
      ]),
    );
    expect((await read({ observations: searchset([]) })).get('observations')).toEqual([]);
    expect((await read({ observations: { resourceType: 'Bundle', type: 'searchset' } })).get('observations')).toEqual(
      [],
    );
  });

  test('CDS-23 not at all, where the key is not there', async () => {
    expect(await read({})).toEqual(new Map());
  });

  test('CDS-25 from a collection too, and from a lone resource', async () => {
    const collection: Bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: result }] };
    expect((await read({ observations: collection })).get('observations')).toHaveLength(1);
    expect((await read({ observations: result })).get('observations')).toHaveLength(1);
  });

  test('keys that nobody asked for are ignored, whatever they hold', async () => {
    expect(await read({ patientToGreet: 7, constructor: {}, medication: { response: {} } })).toEqual(new Map());
  });

  test('a Medication that came along with other things is dropped, as all that was included', async () => {
    const answers = await read({ observations: searchset([result], [medication]) });
    expect(answers.get('observations')).toHaveLength(1);
  });

  test('Medications beside orders are held; what else was included is not', async () => {
    const organization = { resourceType: 'Organization', id: 'x', name: 'Synthetic' } as const;
    const answers = await read({ medicationRequests: searchset([order], [medication, organization]) });
    expect(answers.get('medicationRequests')?.map(({ resource }) => resource.resourceType)).toEqual([
      'MedicationRequest',
      'Medication',
    ]);
  });
});

test('a prefetch of statements answers with the Medications that they refer to', async () => {
  const { intent: _, ...named } = order;
  const statement = { ...named, resourceType: 'MedicationStatement' as const, effectiveDateTime: '2025-01-01' };
  const answers = await read({ medicationStatements: searchset([statement], [medication]) });
  expect(answers.get('medicationStatements')?.map(({ resource }) => resource.resourceType)).toEqual([
    'MedicationStatement',
    'Medication',
  ]);
});

describe('a prefetch does not answer', () => {
  test.each([
    ['CDS-24 an OperationOutcome', failed],
    ['CDS-24 a Bundle that holds a failed OperationOutcome', { ...searchset([result]), entry: [{ resource: failed }] }],
    ['CDS-25 a page that has a next one', { ...searchset([result]), total: undefined, link: [next()] }],
    ['CDS-25 a page of more matches', { ...searchset([result]), total: 2, link: [next()] }],
    ['fewer matches than it counts', { ...searchset([result]), total: 2 }],
    ['parts of resources', searchset([{ ...result, meta: { tag: [{ code: 'SUBSETTED' }] } }])],
  ])('with %s', async (_, observations) => {
    expect((await read({ observations })).has('observations')).toBe(false);
  });

  test('CDS-25 of which more may follow, however many matches it counts: it is a first page', async () => {
    const { url } = next();
    for (const total of [0, 1, 2, undefined]) {
      const { answers, begun } = await readAll({ observations: { ...searchset([result]), total, link: [next()] } });
      expect(answers.size).toBe(0);
      const seeds = [{ resource: result, expression: 'prefetch.observations.entry[0].resource' }];
      expect(begun).toEqual(new Map([['observations', { seeds, next: url, ...(total !== undefined && { total }) }]]));
    }
  });

  test('CDS-25 of which a page is not whole: nobody goes on from there', async () => {
    const entry = [{ fullUrl: 'https://ehr.example/fhir/Observation/2', search: match }];
    const { begun } = await readAll({ observations: { ...searchset([]), entry, link: [next()] } });
    expect(begun.size).toBe(0);
  });

  test.each([
    ['a match that it names but does not show', { fullUrl: 'https://ehr.example/fhir/Observation/2', search: match }],
    ['a resource that could not be read', { fullUrl: 'https://ehr.example/fhir/Observation/2', response: forbidden }],
    ['an entry that only says what was answered', { response: forbidden }],
    ['a resource that its server refused', { resource: result, response: forbidden }],
  ])('of which something was left out: %s', async (_, entry) => {
    const bundle = searchset([result]);
    const observations = { ...bundle, entry: [...(bundle.entry ?? []), entry] };
    expect((await read({ observations })).size).toBe(0);
  });

  test('that says itself that it is a part, as the answer to _summary=count is', async () => {
    const observations = { resourceType: 'Bundle', type: 'searchset', meta: { tag: [{ code: 'SUBSETTED' }] } };
    expect((await read({ observations })).size).toBe(0);
  });

  test('of which an order is lost, though a Medication without search mode makes up the number', async () => {
    const entry = [{ resource: order }, { resource: medication }];
    const bundle = { resourceType: 'Bundle', type: 'searchset', entry };
    expect((await read({ medicationRequests: { ...bundle, total: 2 } })).size).toBe(0);
    expect((await read({ medicationRequests: { ...bundle, total: 1 } })).get('medicationRequests')).toHaveLength(2);
  });

  test('but does with a warning beside every match', async () => {
    const warning: OperationOutcome = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', code: 'informational' }],
    };
    const bundle = searchset([result]);
    const outcome = { search: { mode: 'outcome' } };
    const warned = { ...bundle, entry: [...(bundle.entry ?? []), { resource: warning }, outcome] };
    expect((await read({ observations: warned })).get('observations')).toHaveLength(1);
  });

  function next() {
    return { relation: 'next', url: 'https://ehr.example/fhir?page=2' };
  }
});

describe('CDS-24 a search that the client says has failed', () => {
  const outcome = (...codes: string[]) => ({
    resourceType: 'OperationOutcome',
    issue: codes.map((code) => ({ severity: 'error', code })),
  });

  test.each([
    ['forbidden', { code: 'forbidden', passes: false }],
    ['not-supported', { code: 'not-supported', passes: false }],
    ['too-costly', { code: 'too-costly', passes: false }],
    ['timeout', { code: 'timeout', passes: true }],
    ['throttled', { code: 'throttled', passes: true }],
  ])('is known by its reason: %s', async (code, expected) => {
    for (const value of [outcome(code), { ...searchset([result]), entry: [{ resource: outcome(code) }] }]) {
      const { answers, failed } = await readAll({ observations: value });
      expect(answers.size).toBe(0);
      expect(failed).toEqual(new Map([['observations', expected]]));
    }
    expect((await readAll({ patient: outcome(code) })).failed).toEqual(new Map([['patient', expected]]));
  });

  test('does not pass where one of its reasons does not, nor without an error among them', async () => {
    const warning = { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'timeout' }] };
    for (const value of [outcome('timeout', 'security'), warning])
      expect((await readAll({ observations: value })).failed.get('observations')?.passes).toBe(false);
  });
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
    ['a Medication for orders: it is none', { medicationRequests: medication }, 'prefetch.medicationRequests'],
    [
      'a Medication among other matches',
      { observations: searchset([result, medication]) },
      'prefetch.observations.entry[1].resource',
    ],
    ['an empty list of entries', { observations: { ...searchset([]), entry: [] } }, 'prefetch.observations.entry'],
    ['an empty entry', { observations: { ...searchset([]), entry: [{}] } }, 'prefetch.observations.entry[0]'],
    [
      'an entry of an unknown search mode',
      { observations: { ...searchset([]), entry: [{ resource: result }, { search: { mode: 'x' } }] } },
      'prefetch.observations.entry[1]',
    ],
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
  ])('%s', async (_, prefetch, place) => {
    const { issues } = await refusal(prefetch);
    expect(issues[0]?.expression ?? '').toContain(place);
  });
});

describe('garbage holds nobody up', () => {
  test.each([
    ['200,000 zeros', 0],
    ['200,000 empty entries', {}],
    ['200,000 resources that are none', { resource: 0 }],
  ])('%s as entries are refused at the first of them', async (_, item) => {
    const entries = countedList(200_000, item);
    const { issues } = await refusal({
      observations: { resourceType: 'Bundle', type: 'searchset', entry: entries.list },
    });
    expect(issues[0]?.expression).toContain('prefetch.observations.entry[0]');
    expect(entries.reads()).toBeLessThan(200);
  });

  test('others have their turn while a long search is read, and no entry is checked but by the path', async () => {
    const checked: unknown[] = [];
    const findings = (value: unknown) => {
      checked.push(value);
      return [];
    };
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    const entry = Array.from({ length: 100_000 }, (_, index) => ({ resource: { ...result, id: `o${index}` } }));
    const { answers } = await readPrefetch(
      { observations: { resourceType: 'Bundle', type: 'searchset', entry } },
      { patientId: '1', types, findings },
    );
    clearInterval(timer);
    expect(answers.get('observations')).toHaveLength(100_000);
    expect(checked).toEqual([{ resourceType: 'Bundle', type: 'searchset' }]);
    expect(turns).toBeGreaterThan(1);
  });
});
