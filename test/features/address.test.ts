import type { Address, Patient } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkAddress } from '../../src/model-catalog/check-address.ts';
import type { AddressDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { patient } from '../support/build-record.ts';
import { extractOne } from '../support/extract-one.ts';

const country: AddressDefinition = {
  kind: 'address',
  label: 'Country',
  part: 'country',
  use: ['home', 'unstated'],
  key: ['trim', 'upper-case'],
  vocabulary: { germany: ['DE', 'DEU'], france: ['FR'] },
};
/** Made for these tests: the numbers mean nothing. */
const synthetic = new Map([
  ['00501', 3],
  ['10001', 7],
]);
const deprivation: AddressDefinition = {
  kind: 'address',
  label: 'Deprivation',
  part: 'postalCode',
  use: ['home', 'unstated'],
  key: ['trim', { shapes: ['99999', '99999-9999'] }, { first: 5 }],
  lookup: {
    table: 'tables/synthetic.json',
    source: 'synthetic',
    licence: 'none needed',
    country: { of: ['US', 'USA'], unstated: 'in' },
  },
  unit: '1',
  plausible: [1, 10],
};

const living = (address: Address[], parts: Partial<Patient> = {}) => [patient({ address, ...parts })];
const at = (...address: Address[]) => extractOne(country, living(address));
const deprivationOf = (...address: Address[]) => extractOne(deprivation, living(address), { lookup: synthetic });

describe('an address feature', () => {
  it('is the code of the address in use at as-of', () => {
    expect(at({ use: 'home', country: ' de ' })).toEqual({
      state: 'observed',
      value: 'germany',
      sources: [{ reference: 'Patient/1' }],
    });
    expect(at({ country: 'FR' })).toMatchObject({ value: 'france' });
  });

  it('does not take a country that it does not know for one of those it knows', () => {
    expect(at({ country: 'US' })).toMatchObject({ state: 'missing', because: 'not-in-vocabulary' });
    expect(at({ country: 'D' })).toMatchObject({ because: 'not-in-vocabulary' });
    expect(at({ country: 'constructor' })).toMatchObject({ because: 'not-in-vocabulary' });
  });

  it('has no value without an address, or without the part', () => {
    expect(at()).toMatchObject({ state: 'missing', because: 'not-found' });
    expect(at({ city: 'Berlin' })).toMatchObject({ because: 'not-found' });
    expect(at({ country: '  ' })).toMatchObject({ because: 'not-found' });
  });

  it.each(['old', 'temp', 'billing', 'work'] as const)(
    'does not read a %s address that the map does not name',
    (use) => {
      expect(at({ use, country: 'FR' })).toMatchObject({ because: 'not-found' });
      expect(at({ use, country: 'FR' }, { use: 'home', country: 'DE' })).toMatchObject({ value: 'germany' });
    },
  );

  it('does not pick one of two current addresses in two countries', () => {
    expect(at({ use: 'home', country: 'DE' }, { country: 'FR' })).toMatchObject({ because: 'conflict' });
    expect(at({ use: 'home', country: 'DE' }, { country: 'DEU' })).toMatchObject({ value: 'germany' });
  });

  it('does not take one address for both where the other is silent or unknown', () => {
    expect(at({ country: 'DE' }, { city: 'Lyon' })).toMatchObject({ because: 'undecodable' });
    expect(at({ country: 'DE' }, { country: 'US' })).toMatchObject({ because: 'not-in-vocabulary' });
  });

  it.each([
    ['began after as-of', { start: '2026-03-02' }, 'not-found'],
    ['ended before as-of', { end: '2026-02-28' }, 'not-found'],
    ['may have begun after as-of', { start: '2026' }, 'time-unknown'],
    ['may have ended before as-of', { end: '2026-03' }, 'time-unknown'],
    ['begins on no date', { start: 'spring' }, 'time-unknown'],
  ])('does not read an address that %s', (_, period, because) => {
    expect(at({ country: 'DE', period })).toMatchObject({ state: 'missing', because });
  });

  it.each([
    { start: '2020-01-01' },
    { start: '2020', end: '2026-03-01' },
    { start: '2026-03-01', end: '2027' },
    { end: '2026-03-01T12:00:01Z' },
  ])('reads an address whose period holds as-of: %o', (period) => {
    expect(at({ country: 'DE', period })).toMatchObject({ value: 'germany' });
  });

  it('reads the address of a past as-of, not that of today', () => {
    const moved: Address[] = [
      { use: 'home', country: 'DE', period: { start: '2022-06-01' } },
      { use: 'home', country: 'FR', period: { end: '2022-05-31' } },
    ];
    expect(extractOne(country, living(moved), { asOf: '2021-01-01T00:00:00Z' })).toMatchObject({ value: 'france' });
    expect(extractOne(country, living(moved))).toMatchObject({ value: 'germany' });
  });

  it('does not take the address of today for that of a past as-of that an old one may have been', () => {
    const moved: Address[] = [
      { use: 'home', country: 'DE' },
      { use: 'old', country: 'FR', period: { end: '2022-05-31' } },
    ];
    expect(extractOne(country, living(moved), { asOf: '2021-01-01T00:00:00Z' })).toMatchObject({
      because: 'status-at-time-unknown',
    });
    expect(extractOne(country, living(moved))).toMatchObject({ value: 'germany' });
    const undated = [{ use: 'old' as const, country: 'FR' }, ...moved.slice(0, 1)];
    const changedLater = { meta: { lastUpdated: '2026-03-02T00:00:00Z' } };
    expect(extractOne(country, living(undated, changedLater))).toMatchObject({ because: 'status-at-time-unknown' });
    const changedBefore = { meta: { lastUpdated: '2026-02-01T00:00:00Z' } };
    expect(extractOne(country, living(undated, changedBefore))).toMatchObject({ value: 'germany' });
  });

  it('reads nothing from a Patient with a modifier that is not known', () => {
    const modifierExtension = [{ url: 'http://example.org/animal', valueBoolean: true }];
    expect(extractOne(country, living([{ country: 'DE' }], { modifierExtension }))).toMatchObject({
      because: 'undecodable',
    });
  });
});

describe('an address feature with a table', () => {
  it('is what the table gives, and says by which table', () => {
    expect(deprivationOf({ postalCode: '10001-4321' })).toEqual({
      state: 'derived',
      value: 7,
      from: [],
      detail: 'postalCode by tables/synthetic.json',
      sources: [{ reference: 'Patient/1' }],
    });
  });

  it('keeps the zeros that a postal code begins with', () => {
    expect(deprivationOf({ postalCode: '00501' })).toMatchObject({ value: 3 });
    expect(deprivationOf({ postalCode: '501' })).toMatchObject({ because: 'undecodable' });
  });

  it('does not take the nearest row for a code that is not in the table', () => {
    expect(deprivationOf({ postalCode: '10002' })).toMatchObject({ state: 'missing', because: 'not-in-table' });
  });

  it.each(['1000', '100012', '10001-43', 'SW1A 1AA', '１０００１'])(
    'does not cut %s down to five digits',
    (postalCode) => {
      expect(deprivationOf({ postalCode })).toMatchObject({ because: 'undecodable' });
    },
  );

  it('takes two addresses for one where the table gives both the same', () => {
    expect(deprivationOf({ postalCode: '10001' }, { postalCode: '10001-1111' })).toMatchObject({ value: 7 });
    expect(deprivationOf({ postalCode: '10001' }, { postalCode: '00501' })).toMatchObject({ because: 'conflict' });
  });

  it('is not compiled without its table', () => {
    expect(() => extractOne(deprivation, living([]))).toThrow('the table tables/synthetic.json was not read');
  });
});

describe('a table of one country', () => {
  const only = (unstated: 'in' | 'abstain'): AddressDefinition => ({
    ...deprivation,
    lookup: { table: 'tables/synthetic.json', source: 'synthetic', licence: 'none', country: { of: ['US'], unstated } },
  });
  const lookedUp = (unstated: 'in' | 'abstain', place: Address) =>
    extractOne(only(unstated), living([place]), { lookup: synthetic });

  it('says nothing of the same postal code elsewhere', () => {
    const berlin = { use: 'home', country: 'DE', postalCode: '10001' } as const;
    expect(lookedUp('in', berlin)).toMatchObject({ because: 'not-in-table' });
    expect(lookedUp('in', { ...berlin, country: ' us ' })).toMatchObject({ value: 7 });
  });

  it('takes an address without a country only where the map says so', () => {
    expect(lookedUp('in', { use: 'home', postalCode: '10001' })).toMatchObject({ value: 7 });
    expect(lookedUp('abstain', { use: 'home', postalCode: '10001' })).toMatchObject({ because: 'undecodable' });
  });

  it('must be named by the map', () => {
    const { country: _, ...lookup } = { country: undefined, ...deprivation.lookup };
    const found: string[] = [];
    checkAddress({ ...deprivation, lookup } as AddressDefinition, (path) => found.push(path));
    expect(found).toEqual(['/lookup/country']);
  });
});
