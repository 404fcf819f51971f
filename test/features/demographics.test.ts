import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { patient } from '../support/build-record.ts';
import { extractOne } from '../support/extract-one.ts';

const age: FeatureDefinition = { kind: 'demographics', label: 'Age', element: 'age', unit: 'a' };
const sex: FeatureDefinition = {
  kind: 'demographics',
  label: 'Sex',
  element: 'sex',
  vocabulary: { female: ['female'], male: ['male'] },
};
const omb = 'urn:oid:2.16.840.1.113883.6.238';
const race: FeatureDefinition = {
  kind: 'demographics',
  label: 'Race',
  element: 'race',
  vocabulary: { white: [`${omb}|2106-3`], black: [`${omb}|2054-5`], other: [] },
};
const ofRace = (...codes: string[]) =>
  patient({
    extension: [
      {
        url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
        extension: [
          ...codes.map((code) => ({ url: 'ombCategory', valueCoding: { system: omb, code } })),
          { url: 'text', valueString: 'text' },
        ],
      },
    ],
  });

describe('a demographic feature', () => {
  it.each([
    ['1970-03-02', '2026-03-01T12:00:00Z', 55],
    ['1970-03-01', '2026-03-01T00:00:00Z', 56],
    ['2000-02-29', '2025-02-28T12:00:00Z', 24],
    ['2000-02-29', '2025-03-01T12:00:00Z', 25],
    ['2000-02-29', '2024-02-29T12:00:00Z', 24],
  ])('counts completed years: born %s, as of %s: %i', (birthDate, asOf, years) => {
    expect(extractOne(age, [patient({ birthDate })], { asOf })).toMatchObject({ state: 'observed', value: years });
  });

  it('counts the day in the zone of the site', () => {
    const born = [patient({ birthDate: '1970-03-02' })];
    expect(extractOne(age, born, { asOf: '2026-03-01T16:00:00Z', timeZone: 'Asia/Tokyo' })).toMatchObject({
      value: 56,
    });
    expect(extractOne(age, born, { asOf: '2026-03-01T16:00:00Z', timeZone: 'UTC' })).toMatchObject({ value: 55 });
  });

  it('gives no age that a vague birth date does not fix', () => {
    expect(extractOne(age, [patient({ birthDate: '1970' })])).toMatchObject({
      state: 'missing',
      because: 'time-unknown',
    });
    expect(extractOne(age, [patient({ birthDate: '1970-05' })])).toMatchObject({ value: 55 });
    expect(extractOne(age, [patient({ birthDate: undefined })])).toMatchObject({ because: 'not-found' });
    expect(extractOne(age, [patient({ birthDate: '2030-01-01' })])).toMatchObject({ because: 'time-unknown' });
  });

  it('does not put a sex it does not know into one of two', () => {
    expect(extractOne(sex, [patient({ gender: 'male' })])).toMatchObject({ value: 'male' });
    for (const gender of ['other', 'unknown'] as const) {
      expect(extractOne(sex, [patient({ gender })])).toMatchObject({ state: 'missing', because: 'not-in-vocabulary' });
    }
    expect(extractOne(sex, [patient({ gender: undefined })])).toMatchObject({ because: 'not-found' });
  });

  it('reads a single OMB race category; several are other', () => {
    expect(extractOne(race, [ofRace('2106-3')])).toMatchObject({ value: 'white' });
    expect(extractOne(race, [ofRace('2054-5')])).toMatchObject({ value: 'black' });
    expect(extractOne(race, [ofRace('2028-9')])).toMatchObject({ value: 'other' });
    expect(extractOne(race, [ofRace('2106-3', '2054-5')])).toMatchObject({ value: 'other' });
    expect(extractOne(race, [patient()])).toMatchObject({ state: 'missing', because: 'not-found' });
  });

  it('reads every race extension there is, and one category given twice as one', () => {
    const [one, two] = [ofRace('2106-3'), ofRace('2054-5')].map(({ extension = [] }) => extension);
    const both = patient({ extension: [...(one ?? []), ...(two ?? [])] });
    expect(extractOne(race, [both])).toMatchObject({ value: 'other' });
    expect(extractOne(race, [ofRace('2106-3', '2106-3')])).toMatchObject({ value: 'white' });
  });

  it('reads nothing from a Patient with a modifier that is not known', () => {
    const modified = patient({ modifierExtension: [{ url: 'http://example.org/animal', valueBoolean: true }] });
    for (const feature of [age, sex, race])
      expect(extractOne(feature, [modified])).toMatchObject({ because: 'undecodable' });
  });
});
