import type { Extension, Patient, Period } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { DemographicsDefinition, FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { patient } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

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

describe('sex from several sources', () => {
  const clinicalSystem = 'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use';
  const clinicalSex: DemographicsDefinition = {
    kind: 'demographics',
    label: 'Sex',
    element: 'sex',
    from: ['administrative-gender', 'us-core-birth-sex', 'us-core-sex', 'patient-sexParameterForClinicalUse'],
    saysNothing: ['unknown', 'UNK', 'ASKU', `${clinicalSystem}|unknown`],
    vocabulary: {
      female: ['female', 'F', '248152002', 'http://snomed.info/sct|248152002', `${clinicalSystem}|female-typical`],
      male: ['male', 'M', '248153007', 'http://snomed.info/sct|248153007', `${clinicalSystem}|male-typical`],
    },
  };
  const birthSex = (valueCode: string): Extension => ({
    url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex',
    valueCode,
  });
  const coreSex = (said: Partial<Extension>): Extension => ({
    url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex',
    ...said,
  });
  const clinicalUse = (code: string, period?: Period): Extension => ({
    url: 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse',
    extension: [
      { url: 'value', valueCodeableConcept: { coding: [{ system: clinicalSystem, code }] } },
      ...(period === undefined ? [] : [{ url: 'period', valuePeriod: period }]),
    ],
  });
  const sexOf = (gender: Patient['gender'], extension: Extension[], parts: Partial<DemographicsDefinition> = {}) =>
    extractOne({ ...clinicalSex, ...parts }, [patient({ gender, extension })]);

  it('is what any of them says, in its own way', () => {
    expect(sexOf('male', [])).toMatchObject({ state: 'observed', value: 'male' });
    expect(sexOf(undefined, [birthSex('F')])).toMatchObject({ value: 'female' });
    expect(sexOf(undefined, [coreSex({ valueCode: '248152002' })])).toMatchObject({ value: 'female' });
    const coding = { system: 'http://snomed.info/sct', code: '248153007' };
    expect(sexOf(undefined, [coreSex({ valueCoding: coding })])).toMatchObject({ value: 'male' });
    expect(sexOf(undefined, [clinicalUse('female-typical')])).toMatchObject({ value: 'female' });
    expect(sexOf('female', [birthSex('F'), clinicalUse('female-typical')])).toMatchObject({ value: 'female' });
    expect(sexOf(undefined, [])).toMatchObject({ state: 'missing', because: 'not-found' });
  });

  it('does not pick one of two sources that contradict each other', () => {
    expect(sexOf('female', [birthSex('M')])).toMatchObject({ because: 'conflict' });
    expect(sexOf('other', [birthSex('F')])).toMatchObject({ because: 'conflict' });
    expect(sexOf('female', [clinicalUse('specified')])).toMatchObject({ because: 'conflict' });
    expect(sexOf('female', [birthSex('F'), birthSex('M')])).toMatchObject({ because: 'conflict' });
    expect(sexOf('other', [])).toMatchObject({ because: 'not-in-vocabulary' });
  });

  it('takes the first that says something where the map says so, also if that is nothing the model knows', () => {
    const first = { disagree: 'first' as const };
    expect(sexOf('female', [birthSex('M')], first)).toMatchObject({ value: 'female' });
    expect(sexOf('unknown', [birthSex('M')], first)).toMatchObject({ value: 'male' });
    expect(sexOf('other', [birthSex('M')], first)).toMatchObject({ because: 'not-in-vocabulary' });
    const from = ['us-core-birth-sex' as const, 'administrative-gender' as const];
    expect(sexOf('female', [birthSex('M')], { ...first, from })).toMatchObject({ value: 'male' });
    expect(sexOf('female', [birthSex('M'), birthSex('F')], { ...first, from })).toMatchObject({ because: 'conflict' });
  });

  it('passes over a code that says nothing, but only where the map names it', () => {
    expect(sexOf('unknown', [birthSex('F')])).toMatchObject({ value: 'female' });
    expect(sexOf('unknown', [birthSex('UNK')])).toMatchObject({ because: 'not-found' });
    expect(sexOf('unknown', [birthSex('F')], { saysNothing: ['UNK'] })).toMatchObject({ because: 'conflict' });
  });

  it('reads a sex parameter for clinical use only in its period', () => {
    expect(sexOf(undefined, [clinicalUse('male-typical', { end: '2025-01-01' })])).toMatchObject({
      because: 'not-found',
    });
    expect(sexOf(undefined, [clinicalUse('male-typical', { start: '2025-01-01' })])).toMatchObject({ value: 'male' });
    expect(sexOf('male', [clinicalUse('female-typical', { start: '2026' })])).toMatchObject({
      because: 'time-unknown',
    });
  });

  it('does not read a code without its system for a coding', () => {
    expect(sexOf(undefined, [coreSex({ valueCoding: { code: '248152002' } })])).toMatchObject({
      because: 'not-in-vocabulary',
    });
    expect(sexOf('constructor' as Patient['gender'], [])).toMatchObject({ because: 'not-in-vocabulary' });
  });
});

describe('ethnicity and sex at birth', () => {
  const ethnicity: DemographicsDefinition = {
    kind: 'demographics',
    label: 'Ethnicity',
    element: 'ethnicity',
    vocabulary: { hispanic: [`${omb}|2135-2`], 'not-hispanic': [`${omb}|2186-5`] },
  };
  const atBirth: DemographicsDefinition = {
    kind: 'demographics',
    label: 'Sex at birth',
    element: 'birth-sex',
    vocabulary: { female: ['F'], male: ['M'] },
  };
  const url = (name: string) => `http://hl7.org/fhir/us/core/StructureDefinition/us-core-${name}`;
  const ofEthnicity = (name: string, ...codes: string[]) =>
    patient({
      extension: [
        {
          url: url(name),
          extension: codes.map((code) => ({ url: 'ombCategory', valueCoding: { system: omb, code } })),
        },
      ],
    });

  it('are read each from its own extension of US Core', () => {
    expect(extractOne(ethnicity, [ofEthnicity('ethnicity', '2186-5')])).toMatchObject({ value: 'not-hispanic' });
    expect(extractOne(ethnicity, [ofEthnicity('race', '2186-5')])).toMatchObject({ because: 'not-found' });
    const born = patient({ gender: 'male', extension: [{ url: url('birthsex'), valueCode: 'F' }] });
    expect(extractOne(atBirth, [born])).toMatchObject({ value: 'female' });
    expect(extractOne(atBirth, [patient({ gender: 'male' })])).toMatchObject({ because: 'not-found' });
  });

  it('are no value where they say something else, or two things', () => {
    expect(extractOne(ethnicity, [ofEthnicity('ethnicity', '2135-2', '2186-5')])).toMatchObject({
      because: 'not-in-vocabulary',
    });
    for (const valueCode of ['UNK', 'OTH'])
      expect(extractOne(atBirth, [patient({ extension: [{ url: url('birthsex'), valueCode }] })])).toMatchObject({
        because: 'not-in-vocabulary',
      });
  });
});

describe('a demographic feature is refused', () => {
  const vocabulary = { female: ['female'] };
  it.each<[string, Partial<DemographicsDefinition>, string]>([
    ['as an age with sources of sex', { element: 'age', from: ['us-core-sex'] }, '/from'],
    ['as an age with a vocabulary', { element: 'age', vocabulary }, '/vocabulary'],
    ['as a race without a vocabulary', { element: 'race' }, '/vocabulary'],
    ['as a race with sources that disagree', { element: 'race', vocabulary, disagree: 'first' }, '/disagree'],
    ['as a sex that stands for every other', { element: 'sex', vocabulary: { female: [] } }, '/vocabulary'],
    ['as a sex whose code says nothing', { element: 'sex', vocabulary, saysNothing: ['female'] }, '/saysNothing'],
  ])('%s', (_, parts, path) => {
    const feature: DemographicsDefinition = { kind: 'demographics', label: 'Feature', element: 'age', ...parts };
    const map = { language: 1 as const, features: { feature }, population: noPopulation };
    expect(checkFeatureMap(map, []).map((finding) => finding.path)).toContain(`/features/feature${path}`);
  });
});

describe('a category of US Core that says nothing', () => {
  it('is no other race: one that is not known is no value, and a code without a system is not understood', () => {
    const race: FeatureDefinition = {
      kind: 'demographics',
      label: 'Race',
      element: 'race',
      vocabulary: { white: ['urn:oid:2.16.840.1.113883.6.238|2106-3'], other: [] },
    };
    const said = (valueCoding: object): Patient => ({
      resourceType: 'Patient',
      id: '1',
      extension: [
        {
          url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
          extension: [{ url: 'ombCategory', valueCoding }],
        },
      ],
    });
    const unknown = { system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', code: 'UNK' };
    expect(extractOne(race, [said(unknown)])).toMatchObject({ because: 'not-in-vocabulary' });
    expect(extractOne(race, [said({ code: '2054-5' })])).toMatchObject({ because: 'undecodable' });
    expect(extractOne(race, [said({ system: 'urn:oid:2.16.840.1.113883.6.238', code: '2131-1' })])).toMatchObject({
      value: 'other',
    });
  });
});
