import { describe, expect, it } from 'vitest';
import { encode, inputRow } from '../../src/inference/score.ts';
import { checkColumns } from '../../src/model-catalog/check-manifest.ts';
import { clippedTo, columnValue, type InputColumn } from '../../src/model-catalog/column-value.ts';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { parseManifest } from '../../src/model-catalog/parse-model-json.ts';

type Transform = NonNullable<InputColumn['transform']>;
const column = (transform: Transform): InputColumn => ({ feature: 'a', transform });

describe('the transform of a column', () => {
  it.each([
    [[{ clip: [10, 20] }], 25, 20],
    [[{ clip: [10, 20] }], 5, 10],
    [[{ clip: [10, 20] }], 15, 15],
    [[{ log: 'ln' }], Math.E, 1],
    [[{ log: 'log2' }], 8, 3],
    [[{ log: 'log10' }], 1000, 3],
    [[{ log: 'log1p' }], 0, 0],
    [[{ zScore: { mean: 10, sd: 2 } }], 13, 1.5],
    [[{ minMax: [10, 20] }], 12.5, 0.25],
    [[{ bins: [1, 2, 3] }], 0.9, 0],
    [[{ bins: [1, 2, 3] }], 2, 2],
    [[{ bins: [1, 2, 3] }], 9, 3],
    [[{ clip: [1, 100] }, { log: 'log10' }, { zScore: { mean: 1, sd: 0.5 } }], 1000, 2],
  ] as [Transform, number, number][])('%j makes %d into %d', (transform, value, expected) => {
    expect(columnValue(column(transform), value)).toBeCloseTo(expected, 12);
    expect(encode(column(transform), value)).toBeCloseTo(expected, 12);
  });

  it('fills two columns from one feature, and leaves the value of the feature as it was', () => {
    const columns: InputColumn[] = [{ feature: 'a' }, column([{ log: 'log10' }])];
    const features = new Map([['a', { state: 'observed' as const, value: 100, sources: [] }]]);
    expect(inputRow(columns, features)).toEqual([100, 2]);
    expect(features.get('a')?.value).toBe(100);
  });

  it('says where it takes a limit for the value', () => {
    expect(clippedTo(column([{ clip: [10, 20] }]), 25)).toBe(20);
    expect(clippedTo(column([{ clip: [10, 20] }]), 20)).toBeUndefined();
    expect(clippedTo(column([{ log: 'ln' }]), 25)).toBeUndefined();
    expect(clippedTo({}, 25)).toBeUndefined();
  });

  it('encodes codes and yes or no as before', () => {
    expect(columnValue({ encode: { female: 1 } }, 'female')).toBe(1);
    expect(columnValue({ encode: { female: 1 } }, 'male')).toBeUndefined();
    expect(columnValue({}, true)).toBe(1);
  });
});

const measured = (plausible: [number, number]): FeatureDefinition => ({
  kind: 'observation',
  label: 'A',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2160-0'],
  window: 'P1Y',
  pick: 'latest',
  plausible,
  missing: 'abstain',
});
const findings = (columns: InputColumn[], features: Record<string, FeatureDefinition>) => {
  const population: FeatureMap['population'] = { exclude: [], require: [], ranges: [] };
  const input = { name: 'x', type: 'float64' as const, columns };
  const manifest = { tensors: { input }, explanation: { reference: {} }, outcomes: [] } as unknown as Manifest;
  return checkColumns(manifest, { language: 1, features, population }).map(({ path, message }) => `${path} ${message}`);
};

describe('what load says of a transform', () => {
  const at = '/tensors/input/columns/0/transform';

  it.each([
    [[{ log: 'ln' }], [0.1, 40], []],
    [[{ clip: [0.1, 40] }, { log: 'ln' }], [0, 40], []],
    [[{ log: 'log1p' }], [0, 40], []],
    [[{ log: 'ln' }], [0, 40], [`${at}/0 takes ln of values from 0; clip them, or make only values above 0 plausible`]],
    [
      [{ zScore: { mean: 10, sd: 1 } }, { log: 'ln' }],
      [0.1, 40],
      [`${at}/1 takes ln of values from -9.9; clip them, or make only values above 0 plausible`],
    ],
    [
      [{ minMax: [0, 1] }, { clip: [0, 1] }],
      [0, 1],
      [`${at}/1 clip comes first: it is about the value as it was measured`],
    ],
    [[{ clip: [2, 1] }], [0, 3], [`${at}/0 the smallest value must be below the largest`]],
    [[{ minMax: [1, 1] }], [0, 3], [`${at}/0 the smallest value must be below the largest`]],
    [[{ bins: [1, 1] }], [0, 3], [`${at}/0 the edges must ascend`]],
  ] as [Transform, [number, number], string[]][])('%j of values within %j', (transform, plausible, expected) => {
    expect(findings([column(transform)], { a: measured(plausible) })).toEqual(expected);
  });

  it('is that the plausible range of a measurement says nothing of a count', () => {
    const count = { ...measured([0.1, 40]), pick: 'count' } as FeatureDefinition;
    expect(findings([column([{ log: 'ln' }])], { a: count })).toEqual([
      `${at}/0 takes ln of values from -Infinity; clip them, or make only values above 0 plausible`,
    ]);
    expect(findings([column([{ clip: [1, 99] }, { log: 'ln' }])], { a: count })).toEqual([]);
  });

  it('is that only numbers are transformed, and that one way fills one column', () => {
    const sex: FeatureDefinition = {
      kind: 'demographics',
      label: 'Sex',
      element: 'sex',
      vocabulary: { female: ['female'] },
    };
    expect(findings([{ feature: 'sex', encode: { female: 1 }, transform: [{ log: 'ln' }] }], { sex })).toEqual([
      `${at} sex is a code; only a number is transformed`,
    ]);
    expect(findings([{ feature: 'a' }, column([{ log: 'ln' }])], { a: measured([1, 2]) })).toEqual([]);
    expect(findings([column([{ log: 'ln' }]), column([{ log: 'ln' }])], { a: measured([1, 2]) })).toEqual([
      '/tensors/input/columns a fills two columns in the same way',
    ]);
  });

  it.each([
    [[]],
    [[{ zScore: { mean: 0, sd: 0 } }]],
    [[{ sqrt: true }]],
    [[{ clip: [1, 2], log: 'ln' }]],
    [[{ log: 'e' }]],
  ])('is that %j is none', (transform) => {
    const found: { path: string }[] = [];
    const manifest = { tensors: { input: { name: 'x', type: 'float64', columns: [{ feature: 'a', transform }] } } };
    parseManifest('manifest.json', Buffer.from(JSON.stringify(manifest)), found as never);
    expect(found.some(({ path }) => path.startsWith('/tensors/input/columns/0/transform'))).toBe(true);
  });
});
