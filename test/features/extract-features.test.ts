import type { Consent, Group } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { readAssertedInputs } from '../../src/features/asserted-input.ts';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { encounter, mgPerDl, observation, patient } from '../support/build-record.ts';
import { extractAll, noPopulation } from '../support/extract-one.ts';

const age: FeatureDefinition = { kind: 'demographics', label: 'Age', element: 'age', unit: 'a', plausible: [0, 130] };
const creatinine: FeatureDefinition = {
  kind: 'observation',
  label: 'Creatinine',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2160-0'],
  window: 'P5Y',
  pick: 'latest',
  plausible: [0.05, 50],
  missing: 'abstain',
};
const gfr: FeatureDefinition = {
  kind: 'derived',
  label: 'eGFR',
  unit: 'mL/min/{1.73_m2}',
  expression: ['/', 90, 'creatinine'],
  source: 'test',
};
const prior: FeatureDefinition = {
  kind: 'condition',
  label: 'Prior disease',
  codes: ['http://snomed.info/sct|22298006'],
  when: 'ever',
  absent: { assume: false, encounterWithin: 'P2Y' },
};
const features = { age, creatinine, gfr, prior };
const population: FeatureMap['population'] = {
  exclude: [{ reason: 'prior_cvd', feature: 'prior', equals: true, message: 'prior disease' }],
  require: [
    { reason: 'age', feature: 'age', from: 30, to: 79, message: 'age 30 to 79', outcomes: ['ten'] },
    { reason: 'age', feature: 'age', from: 30, to: 59, message: 'age 30 to 59', outcomes: ['thirty'] },
  ],
  ranges: [{ feature: 'gfr', from: 15, to: 140 }],
};
const options = { population, columns: ['age', 'gfr'], outcomes: ['ten', 'thirty'] };
const visit = encounter('2026-01-10T09:00:00Z', '2026-01-10T09:30:00Z');
const lab = (value: number) => observation('2160-0', mgPerDl(value), '2026-01-01');
const verdictOf = (inputs: ReturnType<typeof extractAll>, outcome = 'ten') => {
  const verdict = inputs.verdicts.get(outcome);
  if (verdict === undefined) throw new Error('no verdict');
  return verdict.state === 'score'
    ? 'score'
    : `${verdict.state} ${verdict.reasons.map(({ reason }) => reason).join(';')}`;
};
const asserted = (inputs: { name: string; value: number | boolean | string }[]) =>
  readAssertedInputs(inputs, compileFeatureMap({ language: 1, features, population: noPopulation }));

describe('extraction', () => {
  it('scores where everything is known and inside', () => {
    const inputs = extractAll(features, [patient(), visit, lab(1)], options);
    expect(verdictOf(inputs)).toBe('score');
    expect(inputs.features.get('gfr')).toMatchObject({
      state: 'derived',
      value: 90,
      from: ['creatinine'],
      at: '2026-01-01',
    });
  });

  it('judges each outcome by its own rules', () => {
    const inputs = extractAll(features, [patient({ birthDate: '1960-01-01' }), visit, lab(1)], options);
    expect(verdictOf(inputs, 'ten')).toBe('score');
    expect(verdictOf(inputs, 'thirty')).toBe('not-eligible age');
  });

  it('names the input to be measured, not what is derived from it', () => {
    expect(verdictOf(extractAll(features, [patient(), visit], options))).toBe('insufficient-data creatinine:not-found');
  });

  it('says not eligible before insufficient, and insufficient before out of range', () => {
    expect(
      verdictOf(extractAll(features, [patient({ birthDate: '1990-01-01', deceasedBoolean: true }), visit], options)),
    ).toBe('not-eligible deceased');
    expect(verdictOf(extractAll(features, [patient({ birthDate: '2010-01-01' }), visit], options))).toBe(
      'not-eligible age',
    );
    expect(verdictOf(extractAll(features, [patient(), visit, lab(20)], options))).toBe('out-of-range gfr');
  });

  it('does not take an unknown exclusion for a no', () => {
    expect(verdictOf(extractAll(features, [patient(), lab(1)], options))).toBe(
      'insufficient-data prior:no-recent-encounter',
    );
  });

  it.each([
    ['deceased before as-of', { deceasedDateTime: '2026-02-01' }, 'not-eligible deceased'],
    ['deceased at an unreadable time', { deceasedDateTime: 'last year' }, 'not-eligible deceased'],
    ['inactive', { active: false }, 'not-eligible inactive'],
    ['merged', { link: [{ type: 'replaced-by' as const, other: { reference: 'Patient/2' } }] }, 'not-eligible merged'],
  ])('never speaks about a patient who is %s', (_, parts, verdict) => {
    expect(verdictOf(extractAll(features, [patient(parts), visit, lab(1)], options))).toBe(verdict);
  });

  it('speaks as of a time before the death', () => {
    expect(verdictOf(extractAll(features, [patient({ deceasedDateTime: '2026-03-05' }), visit, lab(1)], options))).toBe(
      'score',
    );
  });

  const consent = (parts: Partial<Consent>): Consent => ({
    resourceType: 'Consent',
    id: 'c',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] }],
    patient: { reference: 'Patient/1' },
    dateTime: '2025-01-01',
    ...parts,
  });
  const optOut = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] };
  const other = [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }];

  it.each([
    ['an active opt-out', {}, 'not-eligible opted-out'],
    ['an opt-out given after as-of', { dateTime: '2026-05-01' }, 'not-eligible opted-out'],
    ['an opt-out as base policy', { category: other, policyRule: optOut }, 'not-eligible opted-out'],
    [
      'a nested denial of everything',
      { category: other, provision: { provision: [{ type: 'deny' as const }] } },
      'not-eligible opted-out',
    ],
    ['a withdrawn opt-out', { status: 'inactive' as const }, 'score'],
    ['an opt-out whose period is over', { provision: { period: { end: '2026-01-01' } } }, 'score'],
    ['a denial of everything', { category: other, provision: { type: 'deny' as const } }, 'not-eligible opted-out'],
    [
      'a denial to one actor',
      { category: other, provision: { type: 'deny' as const, actor: [{ role: {}, reference: {} }] } },
      'score',
    ],
    ['a permission', { category: other, provision: { type: 'permit' as const } }, 'score'],
  ])('heeds Consent: %s', (_, parts, verdict) => {
    expect(verdictOf(extractAll(features, [patient(), visit, lab(1), consent(parts)], options))).toBe(verdict);
  });

  const group = (member: Group['member'], parts: Partial<Group> = {}): Group => ({
    resourceType: 'Group',
    id: 'g',
    type: 'person',
    actual: true,
    code: { coding: [{ system: 'https://fhirsight.org/fhir/CodeSystem/group-purpose', code: 'prediction-opt-out' }] },
    member,
    ...parts,
  });

  it('heeds a Group of those who opted out', () => {
    const me = { entity: { reference: 'Patient/1' } };
    const verdict = (resource: Group) => verdictOf(extractAll(features, [patient(), visit, lab(1), resource], options));
    expect(verdict(group([me]))).toBe('not-eligible opted-out');
    expect(verdict(group([{ ...me, inactive: true }]))).toBe('score');
    expect(verdict(group([me], { code: { text: 'diabetics' } }))).toBe('score');
    expect(verdict(group([{ entity: { reference: 'Patient/2' } }]))).toBe('score');
  });

  it('does not let a feature pass that only a range reads and that is missing', () => {
    const unread = { ...options, columns: ['age'] };
    expect(verdictOf(extractAll(features, [patient(), visit], unread))).toBe('insufficient-data creatinine:not-found');
  });

  it('takes an asserted value in place of the record, and derives from it', () => {
    const inputs = extractAll(features, [patient(), visit, lab(1)], {
      ...options,
      asserted: asserted([{ name: 'creatinine', value: 2 }]),
    });
    expect(inputs.features.get('creatinine')).toMatchObject({ state: 'asserted', value: 2 });
    expect(inputs.features.get('gfr')).toMatchObject({ state: 'derived', value: 45 });
  });

  it.each([
    ['an unknown feature', [{ name: 'shoeSize', value: 42 }], /features are age, creatinine, gfr, prior/],
    [
      'a feature twice',
      [
        { name: 'age', value: 42 },
        { name: 'age', value: 43 },
      ],
      /twice/,
    ],
    ['a text for a number', [{ name: 'age', value: 'forty' }], /number/],
    ['a number for yes or no', [{ name: 'prior', value: 1 }], /valueBoolean/],
    ['an implausible number', [{ name: 'creatinine', value: 500 }], /plausible/],
  ])('refuses to assert %s', (_, inputs, message) => {
    expect(() => asserted(inputs)).toThrow(message);
  });

  it('refuses to assert a derived feature together with what it is derived from', () => {
    const both = [
      { name: 'gfr', value: 90 },
      { name: 'creatinine', value: 5 },
    ];
    expect(() => asserted(both)).toThrow(/derived from 'creatinine'; assert one of them/);
  });

  it('converts an asserted Quantity, and refuses one it cannot convert', () => {
    const compiled = compileFeatureMap({ language: 1, features, population: noPopulation });
    const quantity = (code: string) => ({ value: 10, unit: code, code, system: 'http://unitsofmeasure.org' });
    expect(
      readAssertedInputs([{ name: 'creatinine', value: quantity('mg/L') }], compiled).get('creatinine'),
    ).toMatchObject({ value: 1 });
    expect(() => readAssertedInputs([{ name: 'creatinine', value: quantity('mmol/L') }], compiled)).toThrow(
      /cannot be converted/,
    );
  });

  it('RA-4 lists every resource used once', () => {
    const inputs = extractAll(features, [patient(), visit, lab(1)], options);
    const references = inputs.basis.map(({ reference }) => reference);
    expect(new Set(references).size).toBe(references.length);
    expect(references).toEqual(expect.arrayContaining(['Patient/1', `Encounter/${visit.id}`]));
  });

  it('refuses a map whose features are derived in a circle or from nothing', () => {
    const circular = (a: FeatureDefinition, b: FeatureDefinition) => () =>
      compileFeatureMap({ language: 1, features: { a, b }, population: noPopulation });
    expect(circular({ ...gfr, expression: ['+', 'b', 1] }, { ...gfr, expression: ['+', 'a', 1] })).toThrow(
      /derived from itself: a -> b -> a/,
    );
    expect(circular({ ...gfr, expression: ['+', 'c', 1] }, creatinine)).toThrow(/c, which the map does not define/);
    expect(circular({ ...gfr, expression: ['sqrt', 'b'] }, creatinine)).toThrow(/unknown operator/);
    expect(circular({ ...creatinine, unit: 'mgdl' }, creatinine)).toThrow(/not a UCUM code/);
  });
});

describe('an asserted count or time', () => {
  const counted: FeatureDefinition = {
    kind: 'encounter',
    label: 'Admissions',
    class: ['http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP'],
    window: 'P1Y',
    pick: 'count',
  };
  const length: FeatureDefinition = { kind: 'encounter', label: 'Length of stay', pick: 'length-of-stay', per: 'd' };
  const compiled = compileFeatureMap({ language: 1, features: { counted, length }, population: noPopulation });
  const assert = (name: string, value: number) =>
    readAssertedInputs([{ name, value, expression: 'input' }], compiled).get(name);

  it('is whole, and not below 0', () => {
    expect(assert('counted', 3)).toMatchObject({ state: 'asserted', value: 3 });
    expect(assert('length', 2.5)).toMatchObject({ state: 'asserted', value: 2.5 });
    expect(() => assert('counted', 2.5)).toThrow('counts are whole');
    expect(() => assert('counted', -1)).toThrow('outside the plausible');
    expect(() => assert('length', -0.5)).toThrow('outside the plausible');
    expect(() => assert('length', 1e-9)).toThrow('a result writes plain digits only');
  });
});
