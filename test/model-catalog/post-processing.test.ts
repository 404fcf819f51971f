import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkManifest } from '../../src/model-catalog/check-manifest.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { ClassOutcome, Outcome, ProbabilityOutcome } from '../../src/model-catalog/outcome-schema.ts';
import { outcomeScore, readScore } from '../../src/model-catalog/outcome-score.ts';
import { parseManifest } from '../../src/model-catalog/parse-model-json.ts';
import { shippedModels } from '../support/model-folder.ts';

type Steps = Pick<ProbabilityOutcome, 'column' | 'link' | 'calibration'>;

const risk = (steps: Partial<Steps> = {}): ProbabilityOutcome => ({
  kind: 'probability',
  id: 'risk',
  label: 'Risk',
  column: 0,
  horizon: 'P1Y',
  ...steps,
});
const probability = (steps: Partial<Steps>, ...row: number[]): number => outcomeScore(risk(steps), row);

// Expected values: scikit-learn 1.9.1 and scipy, in double precision.
describe('a link', () => {
  test.each([
    [0, 0.5],
    [-3, 0.04742587317756678],
    [2.5, 0.9241418199787566],
    [800, 1],
    [-800, 0],
  ])('sigmoid makes of %d the probability %d, also where an exponential would overflow', (z, expected) => {
    expect(probability({ link: 'sigmoid' }, z)).toBeCloseTo(expected, 15);
  });

  test('softmax makes shares of the columns that it names, also of numbers whose exponentials overflow', () => {
    const row = [2, -1.5, 0.25, 99];
    const expected = [0.8305845643329681, 0.02508148055382201, 0.14433395511320982];
    const link = { softmax: [0, 1, 2] };
    expected.forEach((share, column) => {
      expect(probability({ column, link }, ...row)).toBeCloseTo(share, 15);
    });
    expect(probability({ column: 1, link }, 1000, 998, -1000)).toBeCloseTo(0.11920292202211755, 15);
    expect(probability({ column: 2, link: { softmax: [2, 0] } }, 0, 99, 0)).toBe(0.5);
  });
});

describe('a calibration', () => {
  const platt = { method: 'platt', slope: 0.8668895130200023, intercept: -0.0026752071284878286 } as const;

  test.each([
    [-40, 8.69810999387e-16],
    [-3, 0.06892353231341031],
    [0, 0.49933119861674746],
    [0.25, 0.5533084156487437],
    [2.5, 0.8970204814290517],
    [30, 0.9999999999949114],
    [800, 1],
  ])('by Platt gives for the margin %d what CalibratedClassifierCV gives, %d', (margin, expected) => {
    expect(probability({ link: 'sigmoid', calibration: platt }, margin)).toBeCloseTo(expected, 14);
  });

  test.each([
    [0, 0],
    [1e-9, 4.674246757892347e-8],
    [0.03, 0.043902906209772045],
    [0.5, 0.425557483188341],
    [0.97, 0.9227904449131136],
    [1, 1],
  ])('by Platt is on the log-odds of a probability %d: %d', (before, expected) => {
    const calibration = { method: 'platt', slope: 0.8, intercept: -0.3 } as const;
    expect(probability({ calibration }, before)).toBeCloseTo(expected, 14);
  });

  test('by Platt after a softmax is on the log-odds of its share', () => {
    const calibration = { method: 'platt', slope: 0.8, intercept: -0.3 } as const;
    expect(probability({ link: { softmax: [0, 1, 2] }, calibration }, 2, -1.5, 0.25)).toBeCloseTo(
      0.7254822490824563,
      14,
    );
  });

  const isotonic = {
    method: 'isotonic',
    x: [0.024, 0.222, 0.225, 0.441, 0.457, 0.69, 0.708, 0.896, 0.903, 0.976],
    y: [0, 0, 0.3333333333333333, 0.3333333333333333, 0.75, 0.75, 0.8, 0.8, 1, 1],
  } as const;

  test.each([
    [0, 0],
    [0.01, 0],
    [0.2, 0],
    [0.3337, 0.3333333333333333],
    [0.5, 0.75],
    [0.731, 0.8],
    [0.9, 0.9142857142857144],
    [1, 1],
  ])('by isotonic regression makes of %d what scikit-learn makes of it, %d', (before, expected) => {
    const calibration = { method: 'isotonic' as const, x: [...isotonic.x], y: [...isotonic.y] };
    expect(probability({ calibration }, before)).toBeCloseTo(expected, 14);
  });

  test('by a temperature divides what goes into the link', () => {
    const calibration = (temperature: number) => ({ method: 'temperature', temperature }) as const;
    expect(probability({ link: 'sigmoid', calibration: calibration(2.5) }, -3)).toBeCloseTo(0.23147521650098238, 15);
    expect(probability({ link: 'sigmoid', calibration: calibration(2.5) }, 700)).toBe(1);
    const link = { softmax: [0, 1, 2] };
    expect(probability({ column: 2, link, calibration: calibration(1.7) }, 2, -1.5, 0.25)).toBeCloseTo(
      0.24057918033410283,
      15,
    );
  });

  test.each<[string, Partial<Steps>, number[]]>([
    ['37, which nobody made a probability of', {}, [37]],
    [
      '37 before isotonic regression, which would cut it to its last point',
      { calibration: { method: 'isotonic', x: [0, 1], y: [0, 1] } },
      [37],
    ],
    ['a negative number before Platt', { calibration: platt }, [-0.1]],
    ['a column that is not there', { column: 3 }, [0.5]],
    ['a softmax of a column that is not there', { link: { softmax: [0, 3] } }, [0.5]],
    ['NaN', { link: 'sigmoid' }, [Number.NaN]],
  ])('never makes a probability of %s', (_, steps, row) => {
    expect(readScore(risk(steps), row)).toBe('not a probability from 0 to 1');
    expect(() => probability(steps, ...row)).toThrow("The model's answer for risk is not a probability from 0 to 1.");
  });
});

describe('the most probable class', () => {
  const stage = (change: Partial<ClassOutcome> = {}): ClassOutcome => ({
    kind: 'class',
    id: 'stage',
    label: 'Stage',
    coding: [{ system: 'urn:test', code: 'stage' }],
    classes: [
      { number: 1, column: 2, code: 'one', display: 'One' },
      { number: 2, column: 0, code: 'two', display: 'Two' },
      { number: 7, column: 1, code: 'seven', display: 'Seven' },
    ],
    ...change,
  });

  test('is that of the greatest column, wherever that stands', () => {
    expect(outcomeScore(stage(), [0.2, 0.5, 0.3])).toBe(7);
    expect(outcomeScore(stage(), [0.2, 0.1, 0.7])).toBe(1);
    expect(outcomeScore(stage({ link: 'softmax' }), [4, -3, 3.9])).toBe(2);
  });

  test.each<[string, Partial<ClassOutcome>, number[], string]>([
    [
      'two are equally probable',
      {},
      [0.4, 0.2, 0.4],
      'the same for one and two, and the manifest does not say which counts',
    ],
    ['they add up to 2', {}, [0.5, 0.6, 0.9], 'no probabilities that add up to 1'],
    ['one is negative', {}, [-0.1, 0.6, 0.5], 'no probabilities that add up to 1'],
    ['one is not there', {}, [0.5, 0.5], 'not there for every class'],
    ['one is NaN', { link: 'softmax' }, [0.5, Number.NaN, 2], 'not there for every class'],
  ])('is not said where %s', (_, change, row, why) => {
    expect(readScore(stage(change), row)).toBe(why);
  });

  test('is, of two equally probable ones, the first where the manifest says so', () => {
    expect(outcomeScore(stage({ ties: 'first' }), [0.4, 0.2, 0.4])).toBe(1);
  });
});

describe('a manifest with post-processing', () => {
  const file = path.join(shippedModels, 'pce-2013/1.0.0/manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;

  const bySteps = (outcome: object, columns = 3): string[] => {
    const made = { ...manifest, tensors: { ...manifest.tensors, output: { name: 'y', type: 'float32', columns } } };
    const findings: Parameters<typeof parseManifest>[2] = [];
    const parsed = parseManifest(
      'manifest.json',
      Buffer.from(JSON.stringify({ ...made, outcomes: [outcome], cdsHooks: undefined })),
      findings,
    );
    const checked =
      parsed === undefined ? [] : checkManifest(parsed as Manifest, { id: manifest.id, version: manifest.version });
    return [...findings, ...checked].map(({ path, message }) => `${path} ${message}`);
  };
  const isotonic = (x: number[], y: number[]) => risk({ calibration: { method: 'isotonic', x, y } });
  const classes = (change: object = {}, columns: (number | undefined)[] = [0, 1]): Outcome =>
    ({
      kind: 'class',
      id: 'stage',
      label: 'Stage',
      coding: [{ system: 'urn:test', code: 'stage' }],
      classes: columns.map((column, number) => ({ number, column, code: `c${number}`, display: `C${number}` })),
      ...change,
    }) as Outcome;

  test.each<[string, object]>([
    ['a calibrated sigmoid', risk({ link: 'sigmoid', calibration: { method: 'platt', slope: 1, intercept: 0 } })],
    ['a softmax', risk({ column: 2, link: { softmax: [0, 1, 2] } })],
    ['isotonic regression', isotonic([0, 0.5, 1], [0, 0, 1])],
    [
      'classes with columns',
      classes({ link: 'softmax', calibration: { method: 'temperature', temperature: 2 }, ties: 'first' }),
    ],
  ])('is taken with %s', (_, outcome) => {
    expect(bySteps(outcome)).toEqual([]);
  });

  test.each<[string, object, string]>([
    [
      'a softmax without its own column',
      risk({ column: 2, link: { softmax: [0, 1] } }),
      '/outcomes/0/link/softmax does not name the column 2',
    ],
    [
      'a softmax of a column that is not there',
      risk({ link: { softmax: [0, 3] } }),
      '/outcomes/0/column is 3, but the output has columns 0 to 2',
    ],
    [
      'a temperature without a link',
      risk({ calibration: { method: 'temperature', temperature: 2 } }),
      '/outcomes/0/calibration divides what goes into a link',
    ],
    ['points that do not rise', isotonic([0, 0.5, 0.5], [0, 0, 1]), '/outcomes/0/calibration/x must rise'],
    ['values that fall', isotonic([0, 0.5, 1], [0, 0.5, 0.4]), '/outcomes/0/calibration/y must not fall'],
    ['another number of values', isotonic([0, 0.5, 1], [0, 1]), '/outcomes/0/calibration/y has 2 points, but x has 3'],
    ['points outside 0 to 1', isotonic([0, 2], [0, 1]), '/outcomes/0/calibration/x/1 '],
    [
      'a slope that turns the order about',
      risk({ calibration: { method: 'platt', slope: -1, intercept: 0 } }),
      '/outcomes/0/calibration/slope ',
    ],
    ['a class without a column', classes({}, [0, undefined]), '/outcomes/0/column is needed, or one for each'],
    ['two classes of one column', classes({}, [0, 0]), '/outcomes/0/classes the column 0 belongs to two classes'],
    ['both ways of saying a class', classes({ column: 2 }), '/outcomes/0/classes have columns of their own beside'],
    [
      'ties of classes that are numbers',
      classes({ column: 2, ties: 'first' }, [undefined, undefined]),
      '/outcomes/0/ties is for classes with columns',
    ],
  ])('is refused with %s', (_, outcome, says) => {
    expect(bySteps(outcome).join('\n')).toContain(says);
  });
});
