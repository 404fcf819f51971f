import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { readByUsed } from '../../src/model-catalog/read-by-used.ts';
import { readSame } from '../../src/model-catalog/read-same.ts';
import { egfrOfCkdEpi } from '../support/models-that-use-others.ts';
import { bareMap, shippedModel } from '../support/shipped-model.ts';

const loinc = (code: string) => `http://loinc.org|${code}`;
const snomed = (code: string) => `http://snomed.info/sct|${code}`;
const local = (code: string) => `urn:oid:1.2.3.4|${code}`;
const icd10 = (code: string) => `http://hl7.org/fhir/sid/icd-10-cm|${code}`;

const measured = (label: string, code: string, more: object = {}): FeatureDefinition => ({
  kind: 'observation',
  label,
  unit: 'mg/dL',
  codes: [code],
  window: 'P1Y',
  pick: 'latest',
  plausible: [0, 1000],
  missing: 'abstain',
  ...more,
});
const diagnosis = (label: string, ...codes: string[]): FeatureDefinition => ({
  kind: 'condition',
  label,
  codes,
  when: 'active',
  absent: { assume: false, encounterWithin: 'P1Y' },
});
const drug = (label: string, ...codes: string[]): FeatureDefinition => ({
  kind: 'medication',
  label,
  codes,
  status: ['active'],
  absent: { assume: false, encounterWithin: 'P1Y' },
});
const sex = (more: object = {}): FeatureDefinition => ({ kind: 'demographics', label: 'Sex', element: 'sex', ...more });

const bothWays = (one: FeatureDefinition, other: FeatureDefinition) => [readSame(one, other), readSame(other, one)];

describe('two features that may read the same of a record', () => {
  it.each<[string, FeatureDefinition, FeatureDefinition]>([
    [
      'the sex of an extension and the sex at birth',
      sex({ from: ['us-core-birth-sex'] }),
      sex({ element: 'birth-sex' }),
    ],
    [
      'creatinine in serum and in blood, of one analyte',
      measured('Serum', loinc('2160-0'), { analyte: 'creatinine' }),
      measured('Blood', loinc('38483-4'), { analyte: 'creatinine', unit: 'umol/L' }),
    ],
    [
      'creatinine in serum and in blood, by their labels',
      measured('Creatinine in serum or plasma', loinc('2160-0')),
      measured('Creatinine in blood', loinc('38483-4'), { analyte: 'creatinine' }),
    ],
    [
      'haemoglobin in two spellings',
      measured('Haemoglobin', loinc('718-7')),
      measured('Hemoglobin by device', loinc('20509-6')),
    ],
    [
      'HbA1c on two scales',
      measured('HbA1c, NGSP', loinc('4548-4'), { unit: '%', analyte: 'hba1c' }),
      measured('HbA1c, IFCC', loinc('59261-8'), { unit: 'mmol/mol' }),
    ],
    [
      'body weight, however it was found out',
      measured('Body weight', loinc('29463-7'), { unit: 'kg' }),
      measured('Body weight, measured', loinc('3141-9'), { unit: 'kg' }),
    ],
    [
      'measurements by codes of two systems',
      measured('Kreatinin', local('CREA')),
      measured('Creatinine', loinc('2160-0')),
    ],
    [
      'an observation and a sequence of it',
      measured('Pulse', loinc('8867-4')),
      measured('Heart rate', local('HR'), { kind: 'sequence' }),
    ],
    [
      'an answer and a category of it',
      measured('Smoker', local('SMOKE'), { kind: 'answer' }),
      measured('Tobacco', loinc('72166-2'), { kind: 'category' }),
    ],
    [
      'a statin by ATC and by RxNorm',
      drug('Statin', 'http://www.whocc.no/atc|C10AA'),
      drug('Lipids', 'http://www.nlm.nih.gov/research/umls/rxnorm|83367'),
    ],
    [
      'diabetes by ICD-10-CM and by SNOMED CT',
      diagnosis('Diabetes', icd10('E11')),
      diagnosis('DM', snomed('44054006')),
    ],
    ['a class of ICD-10 and one below it', diagnosis('Diabetes', icd10('E11')), diagnosis('DM', icd10('E11.9'))],
    [
      'a disease and a form of it, by their labels',
      diagnosis('Diabetes', snomed('73211009')),
      diagnosis('Diabetes, type 2', snomed('44054006')),
    ],
    ['a condition of which only a site knows codes', diagnosis('Frailty'), diagnosis('Diabetes', snomed('73211009'))],
    [
      'an answer and a diagnosis with a code in common',
      diagnosis('Smoker', snomed('77176002')),
      measured('Smoking', loinc('72166-2'), { kind: 'answer', yes: [snomed('77176002')] }),
    ],
  ])('%s: asserted for one alone, a result would speak of two persons', (_pair, one, other) => {
    expect(bothWays(one, other)).toEqual([true, true]);
  });

  it.each<[string, FeatureDefinition, FeatureDefinition]>([
    [
      'total and HDL cholesterol',
      measured('Total cholesterol', loinc('2093-3')),
      measured('HDL cholesterol', loinc('2085-9')),
    ],
    [
      'total and HDL cholesterol, one with its analyte',
      measured('Total cholesterol', loinc('2093-3')),
      measured('HDL cholesterol', loinc('2085-9'), { analyte: 'hdl-cholesterol' }),
    ],
    [
      'two analytes by codes of two systems',
      measured('A', loinc('2951-2'), { analyte: 'sodium' }),
      measured('B', local('K'), { analyte: 'potassium' }),
    ],
    [
      'systolic and diastolic pressure',
      measured('Systolic blood pressure', loinc('8480-6')),
      measured('Diastolic blood pressure', loinc('8462-4')),
    ],
    ['two diseases of one code system', diagnosis('Diabetes', icd10('E11')), diagnosis('Stroke', icd10('I63'))],
    [
      'codes that begin alike and are no classes',
      diagnosis('One', snomed('7321')),
      diagnosis('Other', snomed('73211009')),
    ],
    ['an age and a sex', sex({ element: 'age' }), sex()],
    ['race and ethnicity', sex({ element: 'race' }), sex({ element: 'ethnicity' })],
    ['a drug and a disease', drug('Insulin', local('INS')), diagnosis('Diabetes', snomed('73211009'))],
  ])('are not %s, which are asserted alone', (_pair, one, other) => {
    expect(bothWays(one, other)).toEqual([false, false]);
  });
});

it('a creatinine by another code is asserted only with the eGFR that the record’s creatinine would give', async () => {
  const uses = [await shippedModel('ckd-epi-2021')];
  const features = {
    gfr: egfrOfCkdEpi,
    creatinine: measured('Creatinine in blood', loinc('38483-4')),
    sexAtBirth: sex({ element: 'birth-sex' }),
    sodium: measured('Sodium', loinc('2951-2')),
  };
  expect(Object.fromEntries(readByUsed({ featureMap: bareMap(features), uses }))).toEqual({
    creatinine: ['gfr'],
    sexAtBirth: ['gfr'],
  });
});
