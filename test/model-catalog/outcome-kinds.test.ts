import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkCdsHooks } from '../../src/model-catalog/check-cds-hooks.ts';
import { checkManifest } from '../../src/model-catalog/check-manifest.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import { bandAt, scoreMisfit } from '../../src/model-catalog/outcome-score.ts';
import { parseManifest } from '../../src/model-catalog/parse-model-json.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { shippedModels } from '../support/model-folder.ts';

const coding = [{ system: 'https://example.org/codes', code: 'score' }];
const points: Outcome = { id: 'points', label: 'Points', kind: 'points', coding, column: 0, range: [0, 19] };
const measurement: Outcome = {
  id: 'egfr',
  label: 'eGFR',
  kind: 'measurement',
  coding,
  column: 0,
  unit: 'mL/min/{1.73_m2}',
  range: [0, 300],
  decimals: 0,
};
const stage: Outcome = {
  id: 'stage',
  label: 'Stage',
  kind: 'class',
  coding,
  column: 0,
  classes: [
    { number: 1, code: 'one', display: 'Stage 1' },
    { number: 2, code: 'two', display: 'Stage 2' },
  ],
};
const levels = (...edges: number[]) =>
  edges.map((from, index) => {
    const below = edges[index + 1];
    return { code: `b${index}`, display: `b${index}`, from, ...(below === undefined ? {} : { below }) };
  });
const banded = (...edges: number[]): Outcome => ({ ...points, bands: { citation: 'none', levels: levels(...edges) } });

let shipped: Manifest;
beforeAll(async () => {
  shipped = (await readModelFolder(path.join(shippedModels, 'pce-2013', '1.0.0'))).manifest;
});

function messages(...outcomes: Outcome[]): string[] {
  const { cdsHooks: _, ...manifest } = shipped;
  const changed = { ...manifest, outcomes };
  return checkManifest(changed, { id: manifest.id, version: manifest.version }).map(
    ({ path: place, message }) => `${place} ${message}`,
  );
}

function parsed(outcome: object): string[] {
  const findings: Finding[] = [];
  parseManifest('manifest.json', Buffer.from(JSON.stringify({ ...shipped, outcomes: [outcome] })), findings);
  return findings.map(({ path: place, message }) => `${place} ${message}`);
}

describe('an outcome', () => {
  test('of each kind is accepted', () => {
    for (const outcome of [points, measurement, stage, banded(0, 5, 10)]) {
      expect(parsed(outcome)).toEqual([]);
      expect(messages(outcome)).toEqual([]);
    }
  });

  test('without a kind, or of an unknown one, is refused by name', () => {
    const { kind: _, ...kindless } = points;
    expect(parsed(kindless).join()).toContain('kind');
    expect(parsed({ ...points, kind: 'grade' }).join()).toContain('kind');
  });

  test('that lacks what its kind needs is refused, and so is a key of another kind', () => {
    expect(parsed({ ...points, range: undefined }).join()).toContain("'range'");
    expect(parsed({ ...points, coding: undefined }).join()).toContain("'coding'");
    expect(parsed({ ...measurement, unit: undefined }).join()).toContain("'unit'");
    expect(parsed({ ...stage, bands: { citation: 'none', levels: levels(0, 1) } }).join()).toContain('"bands"');
    expect(parsed({ ...points, range: [0, 7.5] }).join()).toContain('/outcomes/0/range/1');
  });

  test('of points or a class beside a probability is refused: one result is one resource', () => {
    const [probability] = shipped.outcomes;
    if (probability === undefined) throw new Error('no outcome');
    expect(messages(probability, { ...points, column: 1 }).join()).toContain('/outcomes/1/kind is points');
  });

  test.each<[string, Outcome, string]>([
    ['an empty range', { ...points, range: [5, 5] }, '/outcomes/0/range is empty'],
    ['a unit that is none', { ...measurement, unit: 'furlongs' }, "/outcomes/0/unit is 'furlongs'"],
    ['bands that begin above the least score', banded(1, 5), 'leave a gap from 0 to 1'],
    ['a band above the greatest score', banded(0, 20), 'above the greatest score 19'],
    [
      'two classes of one number',
      { ...stage, classes: [...stage.classes, { number: 1, code: 'x', display: 'x' }] },
      'two classes have the number 1',
    ],
    [
      'two classes of one code',
      { ...stage, classes: [...stage.classes, { number: 3, code: 'one', display: 'x' }] },
      'the code one is there twice',
    ],
    [
      'a risk-probability code on a band of points',
      {
        ...points,
        bands: {
          citation: 'none',
          levels: levels(0, 5).map((level) => ({ ...level, riskProbability: 'low' as const })),
        },
      },
      'only a band of probabilities',
    ],
  ])('with %s is refused', (_, outcome, message) => {
    expect(messages(outcome).join()).toContain(message);
  });
});

describe('a score', () => {
  test.each<[Outcome, number, boolean]>([
    [points, 0, true],
    [points, 19, true],
    [points, 20, false],
    [points, 1.5, false],
    [measurement, 300, true],
    [measurement, 300.1, false],
    [measurement, Number.NaN, false],
    [measurement, Number.POSITIVE_INFINITY, false],
    [stage, 2, true],
    [stage, 1.5, false],
  ])('of %o may be %d: %s', (outcome, score, fits) => {
    expect(scoreMisfit(outcome, score) === undefined).toBe(fits);
  });

  test('that is not there is none of any kind', () => {
    for (const outcome of [points, measurement, stage]) expect(scoreMisfit(outcome, undefined)).toBeDefined();
  });

  test('lies in the band that begins with it', () => {
    expect(bandAt(levels(0, 5, 10), 5)?.code).toBe('b1');
    expect(bandAt(levels(0, 5, 10), 4.999)?.code).toBe('b0');
  });
});

test('a card of a class says what each class shows, and one of points begins at the least score', () => {
  const service = (outcome: Outcome, scored: object[]) => {
    const found: string[] = [];
    const cdsHooks = [
      {
        hook: 'patient-view',
        title: 't',
        description: 'd',
        outcome: outcome.id,
        cards: { scored, abstained: 'info', notEligible: 'none' },
      },
    ] as NonNullable<Manifest['cdsHooks']>;
    checkCdsHooks({ ...shipped, outcomes: [outcome], cdsHooks }, (_, message) => found.push(message));
    return found;
  };
  expect(service(stage, [{ band: 'one', show: 'none' }])).toEqual(['does not say what two shows']);
  expect(
    service(stage, [
      { band: 'one', show: 'none' },
      { band: 'two', show: 'info' },
    ]),
  ).toEqual([]);
  expect(service({ ...points, range: [-2, 5] }, [{ from: 0, show: 'info', because: 'test' }])).toEqual([
    'begins at 0; the first level begins at -2',
  ]);
});
