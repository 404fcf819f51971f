import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import type { FeatureDefinition, PanelDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import { mgPerDl, observation, recordOf } from '../support/build-record.ts';
import { noPopulation } from '../support/extract-one.ts';

const cholesterol = (label: string, code: string): FeatureDefinition => ({
  kind: 'observation',
  label,
  unit: 'mg/dL',
  codes: [`http://loinc.org|${code}`],
  window: 'P5Y',
  pick: 'latest',
  plausible: [1, 1000],
  missing: 'abstain',
  together: 'lipids',
});
const features = {
  total: cholesterol('Total cholesterol', '2093-3'),
  hdl: cholesterol('HDL cholesterol', '2085-9'),
  nonHdl: {
    kind: 'derived',
    label: 'Non-HDL cholesterol',
    unit: 'mg/dL',
    expression: ['-', 'total', 'hdl'],
    source: 'test',
  } as FeatureDefinition,
};
const manifest = {
  tensors: {
    input: { name: 'x', type: 'float64' as const, columns: [{ feature: 'nonHdl' }] },
    output: { name: 'y', type: 'float64' as const, columns: 1 },
  },
  outcomes: [{ id: 'outcome', label: 'outcome', kind: 'probability' as const, column: 0, horizon: 'P10Y' }],
};
function extract(lipids: PanelDefinition, resources: readonly RecordResource[]) {
  const compiled = compileFeatureMap({ language: 1, features, panels: { lipids }, population: noPopulation });
  return extractFeatures(recordOf(resources), compiled, manifest, new Map(), 'UTC').features;
}
const total = (value: number, at: string, parts: object = {}) => observation('2093-3', mgPerDl(value), at, parts);
const hdl = (value: number, at: string, parts: object = {}) => observation('2085-9', mgPerDl(value), at, parts);
const hour: PanelDefinition = { by: 'time', maxSkew: 'PT1H' };

describe('measurements of one panel', () => {
  const older = [total(240, '2025-01-01T08:00:00Z'), hdl(50, '2025-01-01T08:20:00Z')];

  it('are the newest that stand together, though one of them was measured alone since', () => {
    const found = extract(hour, [...older, hdl(90, '2026-01-01T08:00:00Z')]);
    expect(found.get('total')).toMatchObject({ value: 240 });
    expect(found.get('hdl')).toMatchObject({ value: 50 });
    expect(found.get('nonHdl')).toMatchObject({ value: 190 });
  });

  it('are of the newest of several panels, in any order of the record', () => {
    const newer = [total(200, '2026-01-01T08:00:00Z'), hdl(40, '2026-01-01T08:59:59Z')];
    for (const resources of [
      [...older, ...newer],
      [...newer, ...older],
    ])
      expect(extract(hour, resources).get('nonHdl')).toMatchObject({ value: 160 });
  });

  it.each([
    ['2026-01-01T09:00:00Z', 'observed'],
    ['2026-01-01T09:00:01Z', 'missing'],
    ['2026-01-01T09:00:00.000Z', 'observed'],
    ['2026-01-01T07:00:00Z', 'observed'],
    ['2026-01-01T06:59:59Z', 'missing'],
    ['2026-01-01', 'observed'],
    ['2026-01-02', 'missing'],
  ])('may lie an hour apart: HDL at %s is %s', (at, state) => {
    expect(extract(hour, [total(200, '2026-01-01T08:00:00.000Z'), hdl(40, at)]).get('hdl')).toMatchObject({ state });
  });

  it('are missing with what was found where none stand together', () => {
    const found = extract(hour, [total(200, '2026-01-01T08:00:00Z'), hdl(40, '2025-01-01T08:00:00Z')]);
    expect(found.get('total')).toMatchObject({
      state: 'missing',
      because: 'not-together',
      detail: 'no Total cholesterol was measured with HDL cholesterol within 1 hour of each other',
    });
    expect(found.get('nonHdl')).toMatchObject({ because: 'input-missing' });
  });

  it('say which of them was not found at all', () => {
    const found = extract(hour, [total(200, '2026-01-01T08:00:00Z')]);
    expect(found.get('hdl')).toMatchObject({ because: 'not-found' });
    expect(found.get('total')).toMatchObject({ because: 'not-together' });
  });

  it('conflict where the newest panel holds two values', () => {
    const found = extract(hour, [...older, hdl(55, '2025-01-01T08:20:00Z')]);
    expect(found.get('hdl')).toMatchObject({ because: 'conflict' });
    expect(found.get('total')).toMatchObject({ value: 240 });
  });

  it('are unknown where one without a time may be of a newer panel', () => {
    const untimed = hdl(60, '', { effectiveDateTime: undefined });
    expect(extract(hour, [...older, untimed]).get('total')).toMatchObject({ because: 'time-unknown' });
  });

  it('are unknown where one without a time may be newer than its own, though not than the other', () => {
    const whole = [total(240, '2025-01-01T10:00:00Z'), hdl(50, '2025-01-01T09:30:00Z')];
    const untimed = hdl(90, '', { effectiveDateTime: undefined, issued: '2025-01-01T09:50:00Z' });
    expect(extract(hour, [...whole, untimed]).get('hdl')).toMatchObject({ because: 'time-unknown' });
  });

  it('are unknown where one is known to the year only: it stands beside nothing', () => {
    const found = extract(hour, [total(240, '2025'), hdl(50, '2025-12-20T10:00:00Z')]);
    expect(found.get('total')).toMatchObject({ because: 'time-unknown' });
    expect(extract(hour, [total(240, '2023'), ...older]).get('nonHdl')).toMatchObject({ value: 190 });
  });

  it('do not take an older panel where the newest cannot be read', () => {
    const bare = observation('2085-9', { value: 40 }, '2026-01-01T08:00:00Z');
    const found = extract(hour, [...older, total(200, '2026-01-01T08:00:00Z'), bare]);
    expect(found.get('hdl')).toMatchObject({ because: 'unit-missing' });
  });
});

describe('measurements of one specimen', () => {
  const bySpecimen: PanelDefinition = { by: 'specimen' };
  const from = (id: string) => ({ specimen: { reference: `Specimen/${id}` } });

  it('stand together whenever they were measured', () => {
    const found = extract(bySpecimen, [
      total(200, '2026-01-01T08:00:00Z', from('a')),
      hdl(40, '2026-01-03T08:00:00Z', from('a')),
      hdl(70, '2026-01-04T08:00:00Z', from('b')),
      hdl(80, '2026-01-05T08:00:00Z'),
    ]);
    expect(found.get('nonHdl')).toMatchObject({ value: 160 });
  });

  it('are of one specimen however it is referred to, and contained ones are strangers', () => {
    const spelled = [
      total(200, '2026-01-01T08:00:00Z', { specimen: { reference: 'Specimen/a' } }),
      hdl(40, '2026-01-01T08:00:00Z', { specimen: { reference: 'http://127.0.0.1/fhir/R4/Specimen/a/_history/2' } }),
    ];
    expect(extract(bySpecimen, spelled).get('nonHdl')).toMatchObject({ value: 160 });
    const contained = { specimen: { reference: '#s' } };
    const strangers = [total(200, '2026-01-01T08:00:00Z', contained), hdl(40, '2022-01-01T08:00:00Z', contained)];
    expect(extract(bySpecimen, strangers).get('total')).toMatchObject({ because: 'not-together' });
  });

  it('are missing where no specimen has both', () => {
    const found = extract(bySpecimen, [
      total(200, '2026-01-01T08:00:00Z', from('a')),
      hdl(40, '2026-01-01T08:00:00Z', from('b')),
    ]);
    expect(found.get('total')).toMatchObject({
      because: 'not-together',
      detail: 'no Total cholesterol was measured with HDL cholesterol in one specimen',
    });
  });

  it('are as old as the older of two equally new specimens, however its time is written', () => {
    for (const early of ['2026-01-01T08:00:00Z', '2026-01-01T09:30:00+01:30', '2026-01-01T03:00:00-05:00']) {
      const one = [total(200, early, from('a')), hdl(40, '2026-01-01T08:10:00Z', from('a'))];
      const two = [total(200, '2026-01-01T08:10:00Z', from('b')), hdl(40, early, from('b'))];
      expect(extract(bySpecimen, [...one, ...two]).get('total')).toMatchObject({ value: 200, at: early });
    }
  });

  it('conflict where two specimens of one time say different things', () => {
    const both = ['a', 'b'].flatMap((id, index) => [
      total(200, '2026-01-01T08:00:00Z', from(id)),
      hdl(40 + index, '2026-01-01T08:00:00Z', from(id)),
    ]);
    const found = extract(bySpecimen, both);
    expect(found.get('total')).toMatchObject({ value: 200 });
    expect(found.get('hdl')).toMatchObject({ because: 'conflict' });
  });
});
