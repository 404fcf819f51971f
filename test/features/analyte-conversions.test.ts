import { describe, expect, it } from 'vitest';
import { compileQuantity } from '../../src/features/quantity.ts';
import { unitConversion } from '../../src/fhir/ucum.ts';
import { analyteConversion, analyteUnits } from '../../src/model-catalog/analyte-conversion.ts';
import { type AnalyteName, analyteNames, analytes } from '../../src/model-catalog/analytes.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition, ObservationDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { parseFeatureMap } from '../../src/model-catalog/parse-model-json.ts';
import { resolveFeatureMap } from '../../src/model-catalog/resolve-feature-map.ts';
import { observation } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';
import { readDocument, tableRows } from '../support/markdown-blocks.ts';

const ucum = (value: number, code: string, unit = code) => ({ value, unit, code, system: 'http://unitsofmeasure.org' });

const creatinine: ObservationDefinition = {
  kind: 'observation',
  label: 'Creatinine',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2160-0'],
  analyte: 'creatinine',
  window: 'P1Y',
  pick: 'latest',
  plausible: [0.1, 40],
  missing: 'abstain',
};
const hba1c: ObservationDefinition = {
  ...creatinine,
  label: 'HbA1c',
  unit: '%',
  analyte: 'hba1c',
  plausible: [3, 20],
};

const extract = (definition: FeatureDefinition, quantity: object) =>
  extractOne(definition, [observation('2160-0', quantity, '2026-01-01')]);

function convert(analyte: AnalyteName, value: number, from: string, to: string): number | string {
  const conversion = analyteConversion(analyte, from, to);
  return 'refused' in conversion ? conversion.refused : value * conversion.factor + conversion.offset;
}

function findings(definition: object): string[] {
  const found: Finding[] = [];
  const file = parseFeatureMap(
    'feature-map.json',
    Buffer.from(JSON.stringify({ language: 1, features: { feature: definition }, population: noPopulation })),
    found,
  );
  const map = file && resolveFeatureMap(file).map;
  const all = map === undefined ? found : checkFeatureMap(map, []);
  return all.map(({ path, message }) => `${path}: ${message}`);
}

describe('the table of an analyte', () => {
  // Each pair of numbers is from a printed table of laboratory values or the publication, not from our factors.
  it.each<[AnalyteName, number, string, number, string, number]>([
    ['creatinine', 88.4, 'umol/L', 1, 'mg/dL', 10],
    ['hba1c', 48, 'mmol/mol', 6.5, '%', 1],
    ['hba1c', 53, 'mmol/mol', 7, '%', 1],
    ['total-cholesterol', 5, 'mmol/L', 193.35, 'mg/dL', 9],
    ['hdl-cholesterol', 1, 'mmol/L', 38.67, 'mg/dL', 9],
    ['ldl-cholesterol', 3, 'mmol/L', 116, 'mg/dL', 1],
    ['triglycerides', 1.7, 'mmol/L', 150.6, 'mg/dL', 1],
    ['glucose', 7, 'mmol/L', 126.1, 'mg/dL', 1],
    ['urine-albumin-creatinine-ratio', 3, 'mg/mmol', 26.5, 'mg/g', 1],
    ['urea-nitrogen', 5, 'mmol/L', 14, 'mg/dL', 1],
    ['bilirubin', 17.1, 'umol/L', 1, 'mg/dL', 10],
    ['calcium', 2.5, 'mmol/L', 10.02, 'mg/dL', 2],
    ['calcium', 5, 'meq/L', 10.02, 'mg/dL', 2],
    ['magnesium', 1, 'mmol/L', 2.43, 'mg/dL', 2],
    ['magnesium', 2, 'meq/L', 2.43, 'mg/dL', 2],
    ['hemoglobin', 10, 'mmol/L', 16.1, 'g/dL', 1],
    ['alanine-aminotransferase', 40, '[IU]/L', 40, 'U/L', 10],
    ['aspartate-aminotransferase', 40, '[iU]/L', 40, 'U/L', 10],
    ['sodium', 140, 'meq/L', 140, 'mmol/L', 10],
    ['potassium', 4, 'meq/L', 4, 'mmol/L', 10],
    ['chloride', 100, 'meq/L', 100, 'mmol/L', 10],
    ['bicarbonate', 24, 'meq/L', 24, 'mmol/L', 10],
  ])('converts %s: %d %s is %d %s, and back', (analyte, given, from, expected, to, digits) => {
    expect(convert(analyte, given, from, to)).toBeCloseTo(expected, digits);
    const there = convert(analyte, given, from, to);
    expect(convert(analyte, Number(there), to, from)).toBeCloseTo(given, 9);
  });

  it.each(analyteNames)('of %s names units of which UCUM converts none into another, each with a source', (name) => {
    const units = analyteUnits(name);
    expect(new Set(units).size).toBe(units.length);
    for (const from of units) {
      for (const to of units) {
        if (from !== to) expect(unitConversion(from, to), `${from} to ${to}`).toEqual({ refused: 'unconvertible' });
        expect(convert(name, 1, from, to)).toEqual(expect.any(Number));
      }
    }
    for (const { source } of analytes[name].conversions) expect(source.length).toBeGreaterThan(20);
  });

  it('is documented with its units, its factors and its remark', () => {
    const rows = tableRows(readDocument('docs/model-author.md').split('| analyte |')[1]?.split('### Why')[0] ?? '');
    const expected = analyteNames.map((name) => {
      const { unit, conversions, note } = analytes[name];
      const factors = conversions.map(({ from, factor, offset }) =>
        [`\`${from}\` × ${factor}`, ...(offset === undefined ? [] : [offset])].join(' + '),
      );
      return [`\`${name}\``, `\`${unit}\``, [factors.join(', '), ...(note === undefined ? [] : [note])].join('; ')];
    });
    expect(rows).toEqual(expected);
  });

  it.each<[AnalyteName, number, string, string, number]>([
    ['total-cholesterol', 1.9335, 'g/L', 'mmol/L', 5],
    ['total-cholesterol', 193.35, 'mg/dL', 'umol/L', 5000],
    ['glucose', 5500, 'umol/L', 'g/L', 0.99088],
    ['creatinine', 0.0884, 'mmol/L', 'mg/L', 10],
    ['hba1c', 0.048, 'mol/mol', '%', 0.09148 * 48 + 2.152],
    ['alanine-aminotransferase', 1, 'ukat/L', '[IU]/L', 60],
    ['urine-albumin-creatinine-ratio', 30, 'ug/mg{creat}', 'g/mol', 30 / 8.84],
    ['sodium', 0.14, 'eq/L', 'mmol/L', 140],
    ['hemoglobin', 8, 'mmol/L', 'g/L', 128.912],
  ])('leads %s over UCUM on either side: %d %s into %s', (analyte, given, from, to, expected) => {
    expect(convert(analyte, given, from, to)).toBeCloseTo(expected, 9);
  });

  it.each<[AnalyteName, string, string, string]>([
    ['creatinine', 'mm[Hg]', 'mg/dL', 'unconvertible'],
    ['creatinine', 'mg', 'mg/dL', 'unconvertible'],
    ['creatinine', 'meq/L', 'mg/dL', 'unconvertible'],
    ['creatinine', 'mg/dL{a}', 'umol/L', 'unconvertible'],
    ['creatinine', 'umol/L', 'mm[Hg]', 'unconvertible'],
    ['creatinine', 'mgdl', 'mg/dL', 'unit-unknown'],
    ['creatinine', 'toString', 'mg/dL', 'unit-unknown'],
    ['sodium', 'mg/dL', 'mmol/L', 'unconvertible'],
    ['alanine-aminotransferase', 'm[IU]/mL', 'U/L', 'unconvertible'],
    ['hba1c', 'mmol/L', '%', 'unconvertible'],
    // Reaches both units of the table, which say different things.
    ['hba1c', 'mmol/osm', '%', 'unconvertible'],
    ['urine-albumin-creatinine-ratio', 'mg/L', 'mg/g', 'unconvertible'],
  ])('refuses for %s what neither it nor UCUM converts: %s into %s is %s', (analyte, from, to, refused) => {
    expect(convert(analyte, 1, from, to)).toBe(refused);
  });
});

describe('a feature of an analyte', () => {
  it('takes SI and conventional units, and keeps what was measured', () => {
    expect(extract(creatinine, ucum(88.4, 'umol/L'))).toMatchObject({
      state: 'observed',
      value: expect.closeTo(1, 12),
      original: { value: 88.4, unit: 'umol/L' },
    });
    const declaredInSi = { ...creatinine, unit: 'umol/L', plausible: [9, 3500] as [number, number] };
    expect(extract(declaredInSi, ucum(1, 'mg/dL'))).toMatchObject({ value: 88.4 });
    expect(extract(declaredInSi, ucum(10, 'mg/L'))).toMatchObject({ value: expect.closeTo(88.4, 10) });
  });

  it('never divides HbA1c by ten', () => {
    expect(extract(hba1c, ucum(48, 'mmol/mol'))).toMatchObject({ value: 48 * 0.09148 + 2.152 });
    const { analyte, ...withoutAnalyte } = hba1c;
    expect(analyte).toBe('hba1c');
    expect(extract(withoutAnalyte, ucum(48, 'mmol/mol'))).toMatchObject({ because: 'unconvertible' });
  });

  it('converts nothing of another analyte', () => {
    expect(extract({ ...creatinine, analyte: 'sodium', unit: 'mmol/L' }, ucum(88.4, 'mg/dL'))).toMatchObject({
      because: 'unconvertible',
    });
  });

  it.each([
    [{ value: 88.4, unit: 'umol/L' }, { value: expect.closeTo(1, 12) }],
    [{ value: 0.0884, unit: 'mmol/L' }, { because: 'unit-unknown' }],
    [{ value: 1, unit: 'mg%' }, { because: 'unit-unknown' }],
  ])('understands the text alone only of a unit that the table names: %j', (quantity, expected) => {
    expect(extract(creatinine, quantity)).toMatchObject(expected);
  });

  it('understands the same text whatever units came before', () => {
    const read = compileQuantity('mg/dL', { analyte: 'creatinine' });
    const asText = { value: 0.0884, unit: 'mmol/L' };
    expect(read(asText)).toMatchObject({ because: 'unit-unknown' });
    expect(read(ucum(0.0884, 'mmol/L'))).toMatchObject({ value: expect.closeTo(1, 12) });
    expect(read(asText)).toMatchObject({ because: 'unit-unknown' });
  });

  it.each([
    ['mg/g{creat}', 'mg/g', true],
    ['ug/mg', 'mg/g', true],
    ['as usual', 'mg/g', true],
    ['mg/mmol', 'mg/g', false],
    ['mg/L', 'mg/g', false],
  ])('takes the text %s beside the code %s for the same: %s', (text, code, agrees) => {
    const read = compileQuantity('mg/g', { analyte: 'urine-albumin-creatinine-ratio' });
    const expected = agrees ? { value: 30 } : { because: 'unit-contradictory' };
    expect(read(ucum(30, code, text))).toMatchObject(expected);
    expect(read(ucum(30, code, text))).toMatchObject(expected);
  });

  it('takes the text mmol/l for the code mmol/L where the map itself converts it', () => {
    const read = compileQuantity('mg/dL', { conversions: [{ from: 'mmol/L', factor: 38.67 }] });
    expect(read(ucum(5, 'mmol/L', 'mmol/l'))).toMatchObject({ value: 5 * 38.67 });
    expect(read(ucum(5, 'mmol/L', 'mg/dL'))).toMatchObject({ because: 'unit-contradictory' });
  });
});

describe('a number that would be plausible in another unit of its analyte', () => {
  it.each([
    [creatinine, ucum(88, 'mg/dL')],
    [creatinine, ucum(1, 'umol/L')],
    [creatinine, ucum(88, 'g/L')],
    [hba1c, ucum(48, '%')],
    [hba1c, ucum(6.5, 'mmol/mol')],
  ])('is a suspected unit error, and never used: %#', (definition, quantity) => {
    const value = extract(definition, quantity);
    expect(value).toMatchObject({ state: 'missing', because: 'suspected-unit-error' });
    expect(value).not.toHaveProperty('value');
  });

  it('says in which unit', () => {
    expect(extract(creatinine, ucum(88, 'mg/dL'))).toMatchObject({
      detail: 'the newest Creatinine lies outside 0.1 to 40 mg/dL; its number would be plausible in umol/L',
    });
  });

  it('does not let an older value take its place', () => {
    const resources = [
      observation('2160-0', ucum(1, 'mg/dL'), '2025-06-01'),
      observation('2160-0', ucum(88, 'mg/dL'), '2026-01-01'),
    ];
    expect(extractOne(creatinine, resources)).toMatchObject({ because: 'suspected-unit-error' });
  });

  it('is used in the unit that was given where it is plausible there', () => {
    expect(extract(creatinine, ucum(20, 'mg/dL'))).toMatchObject({ state: 'observed', value: 20 });
  });

  it.each([
    ['in no unit', creatinine, ucum(1e6, 'mg/dL')],
    ['without an analyte', { ...creatinine, analyte: undefined }, ucum(88, 'mg/dL')],
    [
      'in a unit of the same size only',
      { ...creatinine, analyte: 'sodium' as const, unit: 'mmol/L', plausible: [100, 200] as [number, number] },
      ucum(14, 'meq/L'),
    ],
  ])('is merely implausible where it would be so %s', (_, { analyte, ...rest }, quantity) => {
    const definition = analyte === undefined ? rest : { ...rest, analyte };
    expect(extract(definition, quantity)).toMatchObject({ because: 'implausible' });
  });
});

describe('a feature map that names an analyte', () => {
  const conversions = [{ from: 'umol/L', factor: 1 / 88.4, source: 'test' }];

  it('is accepted, also beside conversions that say the same', () => {
    expect(findings(creatinine)).toEqual([]);
    expect(findings({ ...creatinine, conversions })).toEqual([]);
    expect(findings({ ...creatinine, unit: 'g/L' })).toEqual([]);
  });

  it('is accepted beside a conversion of a unit that the table does not reach', () => {
    const ofSpecimen = [{ from: 'mg/dL{plasma}', factor: 1, source: 'test' }];
    expect(findings({ ...creatinine, conversions: ofSpecimen })).toEqual([]);
  });

  it.each([
    ['an analyte without a table', { ...creatinine, analyte: 'unobtainium' }, /analyte/],
    ['a unit that the table does not reach', { ...creatinine, unit: 'mm[Hg]' }, /^\/features\/feature\/unit: mm\[Hg\]/],
    [
      'a conversion that contradicts the table',
      { ...creatinine, conversions: [{ from: 'umol/L', factor: 0.0114, source: 'test' }] },
      /conversions: converts umol\/L by 0\.0114, 0, but creatinine by 0\.0113/,
    ],
    [
      'a conversion that contradicts the table scaled by UCUM',
      { ...creatinine, conversions: [{ from: 'mmol/L', factor: 11, source: 'test' }] },
      /converts mmol\/L/,
    ],
    [
      'HbA1c by division',
      { ...hba1c, conversions: [{ from: 'mmol/mol', factor: 0.1, source: 'test' }] },
      /converts mmol\/mol by 0\.1, 0, but hba1c by 0\.09148, 2\.152/,
    ],
  ])('is refused with %s', (_, definition, message) => {
    expect(findings(definition)).toEqual([expect.stringMatching(message)]);
  });

  it('does not compile where the unit is none of the analyte', () => {
    expect(() => compileQuantity('mm[Hg]', { analyte: 'creatinine' })).toThrow(RangeError);
  });
});
