import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { mgPerDl, observation, recordOf } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

const cholesterol: FeatureDefinition = {
  kind: 'observation',
  label: 'Total cholesterol',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2093-3', 'http://loinc.org|14647-2'],
  conversions: [{ from: 'mmol/L', factor: 38.67, source: 'test' }],
  window: 'P5Y',
  pick: 'latest',
  plausible: [20, 1000],
  missing: 'abstain',
};
const systolic: FeatureDefinition = {
  kind: 'observation',
  label: 'Systolic blood pressure',
  unit: 'mm[Hg]',
  codes: ['http://loinc.org|8480-6'],
  component: { panels: ['http://loinc.org|85354-9', 'http://loinc.org|55284-4'], codes: ['http://loinc.org|8480-6'] },
  window: 'P5Y',
  pick: 'latest',
  plausible: [30, 350],
  missing: 'abstain',
};
const ucum = (value: number, code: string, unit = code) => ({ value, unit, code, system: 'http://unitsofmeasure.org' });
const panel = (code: string, systolicValue: object | undefined, at: string, parts = {}) =>
  observation(code, undefined, at, {
    component: [
      { code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] }, ...systolicValue },
      { code: { coding: [{ system: 'http://loinc.org', code: '8462-4' }] }, valueQuantity: ucum(80, 'mm[Hg]') },
    ],
    ...parts,
  });

describe('an observation feature', () => {
  it('never takes what a model computed and nobody verified for a measurement, also where preliminary results count', () => {
    const counted = { ...cholesterol, status: ['final', 'preliminary'] } as FeatureDefinition;
    const at = '2026-01-10T08:00:00Z';
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'AIAST' }];
    const computed = (status: 'preliminary' | 'final') =>
      observation('2093-3', mgPerDl(200), at, { status, meta: { security } });
    expect(extractOne(counted, [computed('preliminary')])).toMatchObject({ because: 'not-found' });
    expect(extractOne(counted, [computed('final')])).toMatchObject({ state: 'observed', value: 200 });
    const measured = observation('2093-3', mgPerDl(200), at, { status: 'preliminary' });
    expect(extractOne(counted, [measured])).toMatchObject({ state: 'observed', value: 200 });
  });

  it('takes the newest value in the window', () => {
    const value = extractOne(cholesterol, [
      observation('2093-3', mgPerDl(180), '2025-01-01T08:00:00Z'),
      observation('2093-3', mgPerDl(200), '2026-01-01T08:00:00Z'),
      observation('2093-3', mgPerDl(190), '2025-06-01T08:00:00Z'),
    ]);
    expect(value).toMatchObject({ state: 'observed', value: 200, at: '2026-01-01T08:00:00Z' });
  });

  it('OB-4 compares instants, not texts, across time zones', () => {
    const value = extractOne(cholesterol, [
      observation('2093-3', mgPerDl(180), '2026-01-01T23:30:00-05:00'),
      observation('2093-3', mgPerDl(200), '2026-01-02T01:00:00+01:00'),
    ]);
    expect(value).toMatchObject({ state: 'observed', value: 180 });
  });

  it('OB-4 counts final, amended and corrected results only', () => {
    for (const status of ['registered', 'preliminary', 'cancelled', 'entered-in-error', 'unknown'] as const) {
      expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2026-01-01', { status })])).toMatchObject({
        state: 'missing',
        because: 'not-found',
      });
    }
    for (const status of ['final', 'amended', 'corrected'] as const) {
      expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2026-01-01', { status })])).toMatchObject({
        value: 180,
      });
    }
  });

  it('sees nothing that was true or issued after as-of', () => {
    expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2026-03-01T12:00:01Z')])).toMatchObject({
      because: 'not-found',
    });
    expect(
      extractOne(cholesterol, [
        observation('2093-3', mgPerDl(180), '2026-02-01T12:00:00Z', { issued: '2026-03-02T00:00:00Z' }),
      ]),
    ).toMatchObject({ because: 'not-found' });
    expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2026-03-01T12:00:00Z')])).toMatchObject({
      value: 180,
    });
  });

  it('sees nothing older than its window', () => {
    expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2021-03-01T11:59:59Z')])).toMatchObject({
      because: 'not-found',
    });
    expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2021-03-01T12:00:00Z')])).toMatchObject({
      value: 180,
    });
  });

  it('names a conflict when two values stand at the newest time', () => {
    const at = '2026-01-01T08:00:00Z';
    expect(
      extractOne(cholesterol, [observation('2093-3', mgPerDl(180), at), observation('2093-3', mgPerDl(181), at)]),
    ).toMatchObject({ because: 'conflict' });
    expect(
      extractOne(cholesterol, [observation('2093-3', mgPerDl(180), at), observation('2093-3', mgPerDl(180), at)]),
    ).toMatchObject({ value: 180 });
  });

  it('reads a date without a time as its whole day, so that a timed value of that day contends with it', () => {
    const resources = [
      observation('2093-3', mgPerDl(180), '2026-01-01'),
      observation('2093-3', mgPerDl(200), '2026-01-01T08:00:00Z'),
    ];
    expect(extractOne(cholesterol, resources)).toMatchObject({ because: 'conflict' });
  });

  it('lays a bare date into the zone of the site', () => {
    const dated = observation('2093-3', mgPerDl(180), '2026-03-02');
    expect(extractOne(cholesterol, [dated], { asOf: '2026-03-01T16:00:00Z', timeZone: 'Asia/Tokyo' })).toMatchObject({
      value: 180,
    });
    expect(extractOne(cholesterol, [dated], { asOf: '2026-03-01T16:00:00Z', timeZone: 'UTC' })).toMatchObject({
      because: 'not-found',
    });
  });

  it('converts moles to mass only by the factor the map declares, and keeps what was measured', () => {
    const value = extractOne(cholesterol, [observation('14647-2', ucum(5, 'mmol/L'), '2026-01-01T08:00:00Z')]);
    expect(value).toMatchObject({ state: 'observed', value: 5 * 38.67, original: { value: 5, unit: 'mmol/L' } });
  });

  it('converts units of the same kind by UCUM', () => {
    expect(extractOne(cholesterol, [observation('2093-3', ucum(2, 'g/L'), '2026-01-01')])).toMatchObject({
      value: 200,
    });
  });

  it.each([
    ['no unit', { value: 180 }, 'unit-missing'],
    ['a unit text that the map does not name', { value: 180, unit: 'mg per dl' }, 'unit-unknown'],
    [
      'a code outside UCUM',
      { value: 180, unit: 'mg/dL', code: 'mg/dL', system: 'http://example.org/units' },
      'unit-unknown',
    ],
    ['a code that is no UCUM code', ucum(180, 'mgdl'), 'unit-unknown'],
    ['a unit of another kind', ucum(180, 'mm[Hg]'), 'unconvertible'],
    ['a unit that contradicts its code', ucum(180, 'mg/dL', 'mmol/L'), 'unit-contradictory'],
    ['a comparator', { ...mgPerDl(180), comparator: '<' as const }, 'comparator'],
    ['an implausible value', mgPerDl(5), 'implausible'],
    [
      'a Quantity without a value',
      { unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
      'not-numeric',
    ],
  ])('OB-4 abstains from the newest value with %s, and does not fall back to an older one', (_, quantity, because) => {
    const value = extractOne(cholesterol, [
      observation('2093-3', mgPerDl(200), '2025-01-01'),
      observation('2093-3', quantity, '2026-01-01'),
    ]);
    expect(value).toMatchObject({ state: 'missing', because });
  });

  it('understands a unit without a code only if it is spelt as in the map', () => {
    expect(extractOne(cholesterol, [observation('2093-3', { value: 180, unit: 'mg/dL' }, '2026-01-01')])).toMatchObject(
      { value: 180 },
    );
  });

  it('understands the same text whatever patients came before', () => {
    const compiled = compileFeatureMap({ language: 1, features: { feature: cholesterol }, population: noPopulation });
    const extract = (quantity: object) => {
      const record = recordOf([observation('2093-3', quantity, '2026-01-01')]);
      const tensors = {
        input: { name: 'x', type: 'float64' as const, columns: [{ feature: 'feature' }] },
        output: { name: 'y', type: 'float64' as const, columns: 1 },
      };
      return extractFeatures(record, compiled, { tensors, outcomes: [] }, new Map(), 'UTC').features.get('feature');
    };
    expect(extract({ value: 2, unit: 'g/L' })).toMatchObject({ because: 'unit-unknown' });
    expect(extract(ucum(2, 'g/L'))).toMatchObject({ value: 200 });
    expect(extract({ value: 2, unit: 'g/L' })).toMatchObject({ because: 'unit-unknown' });
  });

  it('refuses mL/min where mL/min/{1.73_m2} is declared', () => {
    const egfr: FeatureDefinition = {
      ...cholesterol,
      unit: 'mL/min/{1.73_m2}',
      codes: ['http://loinc.org|33914-3'],
      conversions: [],
    };
    expect(extractOne(egfr, [observation('33914-3', ucum(60, 'mL/min'), '2026-01-01')])).toMatchObject({
      because: 'unconvertible',
    });
    expect(extractOne(egfr, [observation('33914-3', ucum(60, 'mL/min/{1.73_m2}'), '2026-01-01')])).toMatchObject({
      value: 60,
    });
  });

  it('matches codes with their system, in any coding, never by prefix', () => {
    const coded = (coding: { system?: string; code: string }[]) =>
      observation('x', mgPerDl(180), '2026-01-01', { code: { coding } });
    expect(extractOne(cholesterol, [coded([{ system: 'http://example.org/local', code: '2093-3' }])])).toMatchObject({
      because: 'not-found',
    });
    expect(extractOne(cholesterol, [coded([{ code: '2093-3' }])])).toMatchObject({ because: 'not-found' });
    expect(extractOne(cholesterol, [coded([{ system: 'http://loinc.org', code: '2093-35' }])])).toMatchObject({
      because: 'not-found',
    });
    expect(
      extractOne(cholesterol, [
        coded([
          { system: 'http://example.org/local', code: 'CHOL' },
          { system: 'http://loinc.org', code: '2093-3' },
        ]),
      ]),
    ).toMatchObject({ value: 180 });
  });

  it('reads the component of either blood pressure panel, or the pressure on its own', () => {
    for (const code of ['85354-9', '55284-4']) {
      expect(extractOne(systolic, [panel(code, { valueQuantity: ucum(132, 'mm[Hg]') }, '2026-01-01')])).toMatchObject({
        value: 132,
      });
    }
    expect(extractOne(systolic, [observation('8480-6', ucum(128, 'mm[Hg]'), '2026-01-01')])).toMatchObject({
      value: 128,
    });
    expect(extractOne(systolic, [panel('85354-9', { valueQuantity: ucum(18, 'kPa') }, '2026-01-01')])).toMatchObject({
      state: 'observed',
      value: expect.closeTo(135.01, 2),
    });
  });

  it('OB-3 passes over a measurement that was not made, and says not-found when there is no other', () => {
    const absent = {
      dataAbsentReason: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'not-performed' }],
      },
    };
    expect(extractOne(systolic, [panel('85354-9', absent, '2026-01-02')])).toMatchObject({ because: 'not-found' });
    expect(
      extractOne(systolic, [
        panel('85354-9', absent, '2026-01-02'),
        panel('85354-9', { valueQuantity: ucum(132, 'mm[Hg]') }, '2026-01-01'),
      ]),
    ).toMatchObject({ value: 132 });
  });

  it('says so when a result has no usable time', () => {
    expect(
      extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2026-01-01', { effectiveDateTime: undefined })]),
    ).toMatchObject({ because: 'time-unknown' });
    expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2026-02-30')])).toMatchObject({
      because: 'time-unknown',
    });
  });

  it('takes the end of a period as its time', () => {
    const resources = [
      observation('2093-3', mgPerDl(180), '', {
        effectiveDateTime: undefined,
        effectivePeriod: { start: '2026-01-01', end: '2026-01-05T10:00:00Z' },
      }),
    ];
    expect(extractOne(cholesterol, resources)).toMatchObject({ value: 180, at: '2026-01-05T10:00:00Z' });
  });

  it('is not a number when the value is a text or an integer without a unit', () => {
    expect(
      extractOne(cholesterol, [observation('2093-3', undefined, '2026-01-01', { valueString: '<5' })]),
    ).toMatchObject({ because: 'not-numeric' });
  });

  it.each([
    ['without any time', { effectiveDateTime: undefined }],
    ['in a period without an end', { effectiveDateTime: undefined, effectivePeriod: { start: '2025-12-15' } }],
    ['in the year of as-of', { effectiveDateTime: '2026' }],
    ['at several times', { effectiveDateTime: undefined, effectiveTiming: { event: ['2026-01-05'] } }],
    ['issued after the newest', { effectiveDateTime: undefined, issued: '2026-01-20T00:00:00Z' }],
  ])('does not take an older value while a result %s may be the newest', (_, parts) => {
    const dated = observation('2093-3', mgPerDl(180), '2026-01-01');
    const untimed = observation('2093-3', mgPerDl(240), '', parts);
    expect(extractOne(cholesterol, [dated, untimed])).toMatchObject({ state: 'missing', because: 'time-unknown' });
  });

  it('takes the newest beside a result without a time that was issued before it, or begins after as-of', () => {
    const dated = observation('2093-3', mgPerDl(180), '2026-01-01');
    const issued = observation('2093-3', mgPerDl(240), '', {
      effectiveDateTime: undefined,
      issued: '2025-12-01T00:00:00Z',
    });
    const later = observation('2093-3', mgPerDl(240), '', {
      effectiveDateTime: undefined,
      effectivePeriod: { start: '2026-06-01' },
    });
    expect(extractOne(cholesterol, [dated, issued, later])).toMatchObject({ value: 180 });
  });

  it('does not read a result about somebody else', () => {
    const newborn = observation('2093-3', mgPerDl(240), '2026-02-01', { focus: [{ reference: 'Patient/child' }] });
    expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2026-01-01'), newborn])).toMatchObject({
      value: 180,
    });
  });

  it('abstains from a result or a component with a modifier that is not known', () => {
    const modifierExtension = [{ url: 'http://example.org/negated', valueBoolean: true }];
    const older = observation('2093-3', mgPerDl(180), '2026-01-01');
    const modified = observation('2093-3', mgPerDl(240), '2026-02-01', { modifierExtension });
    expect(extractOne(cholesterol, [older, modified])).toMatchObject({ because: 'undecodable' });
    const component = panel('85354-9', { valueQuantity: ucum(132, 'mm[Hg]'), modifierExtension }, '2026-02-01');
    expect(extractOne(systolic, [component])).toMatchObject({ because: 'undecodable' });
  });

  it('takes one measurement that is given in two units for one', () => {
    const at = '2026-01-01T08:00:00Z';
    const both = [observation('2093-3', ucum(1_200, 'ug/dL'), at), observation('2093-3', mgPerDl(1.2), at)];
    expect(extractOne({ ...cholesterol, plausible: [0.1, 50] }, both)).toMatchObject({ state: 'observed', value: 1.2 });
  });

  it('OB-3 abstains from a value that stands beside a reason why there is none', () => {
    const both = observation('2093-3', mgPerDl(180), '2026-01-01', { dataAbsentReason: { text: 'error' } });
    expect(extractOne(cholesterol, [both])).toMatchObject({ because: 'undecodable' });
  });

  it('does not draw a straight line through a logarithmic unit', () => {
    const pressure: FeatureDefinition = { ...cholesterol, unit: 'Pa', conversions: [], plausible: [0, 1000] };
    const loud = observation('2093-3', ucum(60, 'B[SPL]'), '2026-01-01');
    expect(extractOne(pressure, [loud])).toMatchObject({ state: 'missing', because: 'unconvertible' });
  });

  it('converts a temperature with its offset', () => {
    const fever: FeatureDefinition = { ...cholesterol, unit: '[degF]', conversions: [], plausible: [80, 110] };
    expect(extractOne(fever, [observation('2093-3', ucum(37, 'Cel'), '2026-01-01')])).toMatchObject({
      value: expect.closeTo(98.6, 10),
    });
  });
});

describe('several results at the newest time', () => {
  const at = '2026-01-01T08:00:00Z';
  const eitherWay = (one: object, other: object) => {
    const [first, second] = [one, other].map((parts) => observation('2093-3', undefined, at, parts));
    if (first === undefined || second === undefined) throw new Error('two were made');
    return [extractOne(cholesterol, [first, second]), extractOne(cholesterol, [second, first])].map(
      ({ sources: _sources, ...said }) => said,
    );
  };

  it('say the same in any order: the reason, the date and the last digit', () => {
    const cases: [object, object][] = [
      [{ valueQuantity: { value: 180 } }, { valueQuantity: { ...mgPerDl(180), comparator: '<' } }],
      [{ valueQuantity: mgPerDl(180) }, { valueQuantity: mgPerDl(180), effectiveDateTime: '2026-01-01' }],
      [{ valueQuantity: ucum(1.8, 'g/L') }, { valueQuantity: ucum(0.0018, 'kg/L') }],
      [{ valueQuantity: ucum(1.8, 'g/L') }, { valueQuantity: mgPerDl(180), effectiveDateTime: '2026-01-01' }],
    ];
    for (const [one, other] of cases) {
      const [forwards, backwards] = eitherWay(one, other);
      expect(forwards).toEqual(backwards);
    }
  });

  it('has the exact time as its date, also where the value of the day needed no conversion', () => {
    const [said] = eitherWay(
      { valueQuantity: ucum(1.8, 'g/L') },
      { valueQuantity: mgPerDl(180), effectiveDateTime: '2026-01-01' },
    );
    expect(said).toMatchObject({ state: 'observed', value: 180, at });
  });
});

describe('the ends of what is plausible', () => {
  const creatinine: FeatureDefinition = {
    ...cholesterol,
    label: 'Creatinine',
    codes: ['http://loinc.org|2160-0'],
    conversions: [{ from: 'umol/L', factor: 0.011312217194570135, source: 'test' }],
    plausible: [0.1, 40],
  };

  it('belong to it in every unit: 8.84 umol/L are 0.1 mg/dL', () => {
    for (const given of [ucum(8.84, 'umol/L'), ucum(100, 'ug/dL'), mgPerDl(0.1)])
      expect(extractOne(creatinine, [observation('2160-0', given, '2026-01-01')])).toMatchObject({ state: 'observed' });
    for (const given of [ucum(8.83, 'umol/L'), ucum(99.9, 'ug/dL'), mgPerDl(0.0999)])
      expect(extractOne(creatinine, [observation('2160-0', given, '2026-01-01')])).toMatchObject({
        because: 'implausible',
      });
  });
});

describe('a result that may lie inside the window', () => {
  it('is not taken for none: a month on its edge is a time that is not known', () => {
    const edge = observation('2093-3', mgPerDl(180), '2021-03');
    expect(extractOne(cholesterol, [edge])).toMatchObject({ because: 'time-unknown' });
    expect(extractOne(cholesterol, [edge, observation('2093-3', mgPerDl(190), '2025-01-01')])).toMatchObject({
      value: 190,
    });
    expect(extractOne(cholesterol, [observation('2093-3', mgPerDl(180), '2021-02')])).toMatchObject({
      because: 'not-found',
    });
  });
});

describe('a result that does not say when it was true', () => {
  it('is not looked at where it was issued before the window began', () => {
    const old = observation('2093-3', mgPerDl(180), '', {
      effectiveDateTime: undefined,
      issued: '2010-01-01T00:00:00Z',
    });
    expect(extractOne(cholesterol, [old])).toMatchObject({ because: 'not-found' });
  });

  it('is not looked at where what can be read of it lies after as-of', () => {
    const coming = observation('2093-3', mgPerDl(180), '2026-04-01', { issued: 'soon' });
    expect(extractOne(cholesterol, [coming])).toMatchObject({ because: 'not-found' });
  });
});

describe('a value given as a limit', () => {
  const limited = (limits: object | undefined): FeatureDefinition => ({
    ...cholesterol,
    label: 'uACR',
    unit: 'mg/g',
    codes: ['http://loinc.org|9318-7'],
    conversions: [],
    analyte: 'urine-albumin-creatinine-ratio',
    plausible: [0.1, 25_000],
    ...(limits && { limits }),
  });
  const below = (value: number, code: string, comparator: '<' | '>' = '<') =>
    observation('9318-7', { ...ucum(value, code), comparator }, '2026-01-01T08:00:00Z');

  it('is a reason where the map does not say what it stands for', () => {
    for (const limits of [undefined, { '>': 'limit' }])
      expect(extractOne(limited(limits), [below(3, 'mg/mmol')])).toMatchObject({ because: 'comparator' });
  });

  it('stands for the limit, in the unit of the feature, and says what was given', () => {
    const found = extractOne(limited({ '<': 'limit' }), [below(3, 'mg/mmol')]);
    expect(found).toMatchObject({
      state: 'observed',
      value: 3 * 8.84,
      original: { value: 3, unit: 'mg/mmol', comparator: '<' },
    });
  });

  it('stands for half of it, also where no unit is converted', () => {
    expect(extractOne(limited({ '<': 'half' }), [below(4, 'mg/g')])).toMatchObject({
      value: 2,
      original: { value: 4, unit: 'mg/g', comparator: '<' },
    });
    expect(extractOne(limited({ '<': 'half' }), [below(4, 'mg/g', '>')])).toMatchObject({ because: 'comparator' });
  });

  it('must have a unit and be plausible like any other', () => {
    expect(
      extractOne(limited({ '<': 'limit' }), [observation('9318-7', { value: 3, comparator: '<' }, '2026-01-01')]),
    ).toMatchObject({ because: 'unit-missing' });
    expect(extractOne(limited({ '<': 'limit' }), [below(0.01, 'mg/g')])).toMatchObject({ because: 'implausible' });
  });
});

describe('a result whose day is known and whose hour is not', () => {
  const dayWindow = { ...cholesterol, window: 'P1D' } as FeatureDefinition;

  it('contends with the newest also where it may lie before the window', () => {
    const timed = observation('2093-3', mgPerDl(100), '2026-02-28T13:00:00Z');
    expect(extractOne(dayWindow, [timed, observation('2093-3', mgPerDl(300), '2026-02-28')])).toMatchObject({
      because: 'time-unknown',
    });
    const later = observation('2093-3', mgPerDl(100), '2026-03-01T02:00:00Z');
    expect(extractOne(dayWindow, [later, observation('2093-3', mgPerDl(300), '2026-02-28')])).toMatchObject({
      value: 100,
    });
  });
});
