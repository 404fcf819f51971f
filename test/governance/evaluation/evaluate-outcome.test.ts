import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateOutcome } from '../../../src/governance/evaluation/evaluate-outcome.ts';
import { reportHtml } from '../../../src/governance/evaluation/report/report-html.ts';
import { type EvaluationReport, evaluationReportSchema } from '../../../src/model-catalog/evaluation-report-schema.ts';
import type { Outcome } from '../../../src/model-catalog/outcome-schema.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const coding = [{ system: 'http://loinc.org', code: '1-8' }];
const named = { id: 'readmission', label: 'Readmission', column: 0, coding };
const bands = {
  citation: 'made up',
  levels: [
    { code: 'low', display: 'low', from: 0, below: 0.2 },
    { code: 'high', display: 'high', from: 0.2 },
  ],
};
const probability: Outcome = { ...named, kind: 'probability', horizon: 'P30D', bands };
const points: Outcome = { ...named, kind: 'points', range: [0, 9] };
const measurement: Outcome = { ...named, kind: 'measurement', unit: 'mL/min', range: [-1000, 1000], decimals: 1 };
const classes: Outcome = {
  ...named,
  kind: 'class',
  classes: [
    { number: 0, code: 'none', display: 'none' },
    { number: 1, code: 'some', display: 'some' },
    { number: 2, code: 'much', display: 'much' },
  ],
};
const settings = { seed: 7, resamples: 200, fewest: 5, thresholds: [0.5] };
const evaluated = (scores: number[], truths: number[], outcome: Outcome = probability) =>
  evaluateOutcome(outcome, { scores, truths, groupings: [] }, settings);

function report(outcome: Outcome, figures: ReturnType<typeof evaluateOutcome>, rows: number): EvaluationReport {
  return {
    schema: 1,
    model: { id: 'made-up', version: '1.0.0', title: 'Made <up> & "odd"', digest: 'd', demonstration: true },
    outcome: { id: outcome.id, label: outcome.label, kind: outcome.kind },
    data: { matrix: { name: '<script>.csv', sha256: 'a'.repeat(64) }, labels: { column: "event'" } },
    settings: { seed: 7, resamples: 200, fewest: 5 },
    rows: {
      read: rows,
      evaluated: rows,
      abstained: 0,
      failed: 0,
      withoutLabel: 0,
      leftOut: 0,
      reasons: { abstained: {}, failed: {}, leftOut: {} },
    },
    notes: ['<img src=x onerror=alert(1)>'],
    ...figures,
  };
}

describe('a figure that cannot be computed', () => {
  it('says that nobody had an event, instead of an AUROC', () => {
    const { measures, curves } = evaluated([0.1, 0.4, 0.2], [0, 0, 0]);
    expect(measures.auroc).toEqual({ unavailable: 'no row has an event' });
    expect(measures['average-precision']).toEqual({ unavailable: 'no row has an event' });
    expect(measures['scaled-brier']).toEqual({ unavailable: 'no row has an event' });
    expect(measures['calibration-slope']).toEqual({ unavailable: 'no row has an event' });
    expect(curves).toBeUndefined();
  });

  it('says that there are no rows', () => {
    const { measures, thresholds } = evaluated([], []);
    expect(Object.values(measures).every((figure) => 'unavailable' in figure)).toBe(true);
    expect(thresholds).toEqual([]);
  });

  it('has no interval of certainty for an AUROC of 1, and no slope, where a score separates all events', () => {
    const { measures } = evaluated([0.1, 0.2, 0.3, 0.7, 0.8, 0.9], [0, 0, 0, 1, 1, 1]);
    expect(measures.auroc).toMatchObject({ value: 1, noInterval: expect.stringContaining('perfectly') });
    expect(measures['calibration-slope']).toMatchObject({ unavailable: expect.stringContaining('infinite') });
  });

  it('has no calibration by the logit where the model was certain, and counts those rows', () => {
    const { measures } = evaluated([0, 0.3, 0.6, 1, 0.5], [0, 1, 0, 1, 1]);
    const reason = '2 of 5 rows have a score of 0 or 1, which has no logit';
    expect(measures['calibration-slope']).toEqual({ unavailable: reason });
    expect(measures['calibration-intercept']).toEqual({ unavailable: reason });
    expect(measures['log-loss']).toHaveProperty('value');
  });

  it('has no log loss where a certain answer was wrong: it is not cut off at some large number', () => {
    const { measures } = evaluated([0, 0.3, 0.6, 1, 0.5], [1, 1, 0, 1, 0]);
    expect(measures['log-loss']).toMatchObject({ unavailable: expect.stringContaining('1 rows') });
  });

  it('has no slope where all rows have the same score', () => {
    expect(evaluated([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 0]).measures['calibration-slope']).toEqual({
      unavailable: 'all rows have the same score',
    });
  });

  it('has no interval where few rows are drawn again, or where every resample says the same', () => {
    expect(evaluated([0.1, 0.4, 0.7], [0, 1, 0]).measures.brier).toMatchObject({
      noInterval: expect.stringContaining('too few'),
    });
    const many = Array.from({ length: 30 }, () => 0.25);
    const { measures } = evaluated(
      many,
      many.map(() => 0),
    );
    expect(measures.brier).toEqual({ value: 0.0625, noInterval: 'every resample gives the same figure' });
  });

  it('is never NaN and always fits the published schema, for rows of every kind', () => {
    const fits = new Ajv({ strict: false }).compile(JSON.parse(JSON.stringify(evaluationReportSchema)));
    const cases = fc.oneof(
      fc.tuple(fc.constant(probability), fc.constantFrom(0, 0.01, 0.2, 0.5, 0.5, 0.99, 1), fc.constantFrom(0, 1)),
      fc.tuple(fc.constant(points), fc.integer({ min: 0, max: 9 }), fc.constantFrom(0, 1)),
      fc.tuple(fc.constant(measurement), fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })),
      fc.tuple(fc.constant(classes), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
    );
    const ofOneKind = fc
      .array(fc.tuple(cases, fc.constantFrom('female', 'male', undefined)), { maxLength: 60 })
      .map((rows) => rows.filter(([[outcome]]) => outcome === rows[0]?.[0][0]));
    fc.assert(
      fc.property(ofOneKind, (rows) => {
        const outcome = rows[0]?.[0][0] ?? probability;
        const figures = evaluateOutcome(
          outcome,
          {
            scores: rows.map(([[, score]]) => score),
            truths: rows.map(([[, , truth]]) => truth),
            groupings: [{ by: 'sex', groups: rows.map(([, group]) => group) }],
          },
          { ...settings, resamples: 100, fewest: 2 },
        );
        const made = report(outcome, figures, rows.length);
        expect(JSON.stringify(made)).not.toMatch(/null|NaN|Infinity/);
        expect(fits(JSON.parse(JSON.stringify(made))), JSON.stringify(fits.errors)).toBe(true);
        expect(reportHtml(made)).not.toMatch(/NaN|undefined|Infinity/);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the interval that a model gives with a measurement', () => {
  it('is compared with how often the truth lies within it, its ends included', () => {
    const interval = { method: 'split-conformal', coverage: 0.9, halfWidth: 2, source: 'made up' } as const;
    const { measures } = evaluated([10, 10, 10, 10], [12, 8, 13, 10], { ...measurement, interval });
    expect(measures['interval-coverage']).toMatchObject({ value: 0.75, interval: { method: 'wilson' } });
    expect(evaluated([10], [12], measurement).measures).not.toHaveProperty('interval-coverage');
  });
});

describe('a bootstrap', () => {
  const random = seededRandom(11);
  const scores = Array.from({ length: 400 }, () => random() * 0.2);
  const truths = scores.map((score) => Number(random() < score));

  it('gives the same intervals for the same seed, and others for another', () => {
    const again = (seed: number) =>
      evaluateOutcome(probability, { scores, truths, groupings: [] }, { ...settings, seed });
    expect(again(3)).toEqual(again(3));
    expect(again(3).measures.brier).not.toEqual(again(4).measures.brier);
  });

  it('lets the number of events vary: the interval of the Brier score of a rare event is that of a mean', () => {
    const { measures } = evaluateOutcome(
      probability,
      { scores, truths, groupings: [] },
      { ...settings, resamples: 2000 },
    );
    const losses = scores.map((score, row) => (score - (truths[row] ?? 0)) ** 2);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    const variance = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (losses.length - 1);
    const half = 1.96 * Math.sqrt(variance / losses.length);
    const { brier } = measures;
    if (brier === undefined || !('interval' in brier)) throw new Error('the Brier score has no interval');
    expect((brier.interval.high - brier.interval.low) / 2).toBeGreaterThan(half * 0.9);
    expect((brier.interval.high - brier.interval.low) / 2).toBeLessThan(half * 1.1);
  });
});

describe('groups', () => {
  const scores = [...Array.from({ length: 40 }, (_, row) => (row % 20) / 25 + 0.05), 0.5, 0.6];
  const truths = [...Array.from({ length: 40 }, (_, row) => Number(row % 3 === 0)), 1, 0];
  const groups = [...Array.from({ length: 40 }, (_, row) => (row < 20 ? 'female' : 'male')), 'other', undefined];

  it('have their AUROC and its distance to the rest, and small ones are too few instead of a number', () => {
    const grouping = { by: 'sex', groups };
    const [sex] = evaluateOutcome(probability, { scores, truths, groupings: [grouping] }, settings).subgroups;
    expect(sex).toMatchObject({ by: 'sex', notKnown: 1 });
    const [female, male, other] = sex?.groups ?? [];
    expect(female).toMatchObject({ group: 'female', rows: 20, events: 7 });
    expect(female?.measures.auroc).toHaveProperty('interval');
    expect(female?.differences.auroc).toHaveProperty('interval.method', 'delong');
    expect(female?.differences['calibration-intercept']).toHaveProperty('interval.method', 'wald');
    expect(female?.differences['recall at 0.5']).toHaveProperty('interval.method', 'newcombe');
    expect(male?.group).toBe('male');
    expect(other).toMatchObject({ rows: 1, tooFew: '1 events, fewer than 5', measures: {}, differences: {} });
  });

  it('that differ by nothing have a difference whose interval holds 0', () => {
    const twice = {
      scores: [...scores.slice(0, 20), ...scores.slice(0, 20)],
      truths: [...truths.slice(0, 20), ...truths.slice(0, 20)],
    };
    const grouping = { by: 'sex', groups: groups.slice(0, 40) };
    const [sex] = evaluateOutcome(probability, { ...twice, groupings: [grouping] }, settings).subgroups;
    expect(sex?.groups[0]?.differences.auroc).toMatchObject({ value: 0 });
  });
});

describe('the ratio of observed to expected events of a group', () => {
  const [male, female] = [Array.from({ length: 200 }, () => 0.2), Array.from({ length: 100 }, () => 0.1)];
  // 40 of 200 where 40 were expected, and 20 of 100 where 10 were.
  const scores = [...male, ...female].map((score, row) => score + (row % 2 === 0 ? 0.01 : -0.01));
  const truths = [...male.map((_, row) => Number(row < 40)), ...female.map((_, row) => Number(row < 20))];
  const groups = [...male.map(() => 'male'), ...female.map(() => 'female')];
  const figures = evaluateOutcome(probability, { scores, truths, groupings: [{ by: 'sex', groups }] }, settings);

  it('is divided by that of the rest, and twice as many events as expected are not taken for too few rows', () => {
    const [of] = figures.subgroups;
    const ratio = of?.groups.find(({ group }) => group === 'female')?.differences['ratio-of-observed-expected-ratios'];
    if (ratio === undefined || !('interval' in ratio)) throw new Error('there is no ratio of the ratios');
    expect(ratio.value).toBeCloseTo(2, 9);
    const spread = Math.exp(1.959963984540054 * Math.sqrt(0.8 / 20 + 0.8 / 40));
    expect(ratio.interval.low).toBeCloseTo(2 / spread, 9);
    expect(ratio.interval.high).toBeCloseTo(2 * spread, 9);
    const html = reportHtml(report(probability, figures, 300));
    expect(html).toContain('observed-expected-ratio, divided by that of the rest');
    expect(html.slice(html.indexOf('<h2>Groups'))).not.toMatch(/too few|the report has none/);
  });

  it('has a difference, or a reason of its own, for every figure', () => {
    const onlyOne = { by: 'sex', groups: scores.map(() => 'male') };
    const [sex] = evaluateOutcome(probability, { scores, truths, groupings: [onlyOne] }, settings).subgroups;
    const [all] = sex?.groups ?? [];
    expect(Object.keys(all?.differences ?? {})).toHaveLength(Object.keys(all?.measures ?? {}).length);
    for (const difference of Object.values(all?.differences ?? {}))
      expect(difference).toEqual({ unavailable: 'of the other rows: 0 events, fewer than 5' });
  });
});

describe('a group whose scores separate its events perfectly', () => {
  it('has no difference in AUROC to the rest, which would be as sure as the AUROC of the rest alone', () => {
    const random = seededRandom(5);
    const mixed = Array.from({ length: 200 }, (_, row) => 0.3 + 0.1 * (row % 2) + random() * 0.4);
    const apart = Array.from({ length: 20 }, (_, row) => (row % 2 === 1 ? 0.8 : 0.2) + row / 1000);
    const rows = {
      scores: [...mixed, ...apart],
      truths: [...mixed, ...apart].map((_, row) => row % 2),
      groupings: [{ by: 'sex', groups: [...mixed.map(() => 'male'), ...apart.map(() => 'female')] }],
    };
    const [sex] = evaluateOutcome(probability, rows, settings).subgroups;
    expect(sex?.groups.map(({ group }) => group)).toEqual(['female', 'male']);
    for (const { differences } of sex?.groups ?? [])
      expect(differences.auroc).toEqual({ unavailable: expect.stringContaining('the variance of DeLong is 0') });
    expect(sex?.groups[0]?.measures.auroc).toMatchObject({ value: 1, noInterval: expect.any(String) });
  });
});

describe('thresholds', () => {
  it('stand in the HTML as they are: an alert at 0.0125 is no alert at 0.013', () => {
    const rows = { scores: [0.1, 0.01, 0.6, 0.7], truths: [0, 1, 0, 1], groupings: [] };
    const found = evaluateOutcome(probability, rows, { ...settings, thresholds: [0.0125, 0.99951] });
    const html = reportHtml(report(probability, found, 4));
    const table = html.slice(html.indexOf('<h2>Thresholds'), html.indexOf('<h2>Groups'));
    const shown = [...table.matchAll(/<tr><t[hd][^>]*>([\d.]+)</g)].map(([, text]) => Number(text));
    expect(shown).toEqual(found.thresholds?.map(({ threshold }) => threshold));
    expect(shown).toContain(0.0125);
  });

  it('are those that were asked for, where bands begin, and a grid; F1 of each is nowhere without a threshold', () => {
    const { thresholds = [], measures } = evaluated([0.1, 0.3, 0.6, 0.7], [0, 1, 0, 1]);
    expect(thresholds.find(({ threshold }) => threshold === 0.5)?.because).toBe('asked for');
    expect(thresholds.find(({ threshold }) => threshold === 0.2)?.because).toBe('band high');
    expect(thresholds.map(({ threshold }) => threshold)).toEqual(
      thresholds.map(({ threshold }) => threshold).toSorted((a, b) => a - b),
    );
    expect(Object.keys(measures)).not.toContain('f1');
  });

  it('of points are every number of points, without a net benefit: points are no probability', () => {
    const { thresholds = [], measures } = evaluated([1, 3, 6, 7], [0, 1, 0, 1], points);
    expect(thresholds.map(({ threshold }) => threshold)).toEqual([0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(thresholds.every((row) => row.netBenefit === undefined)).toBe(true);
    expect(Object.keys(measures)).toEqual(['prevalence', 'auroc', 'average-precision']);
  });
});

describe('an anomaly', () => {
  const anomaly: Outcome = {
    ...named,
    kind: 'anomaly',
    threshold: { value: 2.5, percentile: 95, source: 'made up' },
    decimals: 2,
  };

  it('is told from the rest by its score, which is no probability, and has the threshold of its model', () => {
    const { measures, thresholds = [], curves } = evaluated([0.4, 3, 1, 7, 0.2], [0, 1, 0, 1, 0], anomaly);
    expect(Object.keys(measures)).toEqual(['prevalence', 'auroc', 'average-precision']);
    expect(thresholds.map(({ threshold, because }) => [threshold, because])).toEqual([
      [0.5, 'asked for'],
      [2.5, 'threshold of the model'],
    ]);
    expect(thresholds[1]).toMatchObject({ truePositives: 2, falsePositives: 0 });
    expect(curves?.calibration).toBeUndefined();
    expect(curves?.histogram.reduce((sum, { events, others }) => sum + events + others, 0)).toBe(5);
  });
});

describe('a survival curve', () => {
  it('is evaluated as the probability of the event until its horizon', () => {
    const survival: Outcome = {
      id: 'death',
      label: 'Death',
      kind: 'survival',
      columns: 'survival',
      times: [
        { at: 'P1Y', column: 0 },
        { at: 'P5Y', column: 1 },
      ],
      horizon: 'P5Y',
    };
    const { measures, curves } = evaluated([0.1, 0.3, 0.6, 0.7], [0, 1, 0, 1], survival);
    expect(measures).toEqual(evaluated([0.1, 0.3, 0.6, 0.7], [0, 1, 0, 1]).measures);
    expect(curves?.decision).toHaveLength(99);
  });
});

describe('the report as HTML', () => {
  const figures = evaluated([0.1, 0.3, 0.6, 0.7, 0.2, 0.8], [0, 1, 0, 1, 0, 1]);
  const html = reportHtml(report(probability, figures, 6));

  it('holds every text as text', () => {
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<img');
    expect(html).toContain('Made &lt;up&gt; &amp; &quot;odd&quot;');
    expect(html).toContain('event&#39;');
  });

  it('asks for nothing from elsewhere and runs nothing', () => {
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
      /https?:|<[^>]*\b(src|href|on\w+)=|url\(|@import/,
    );
  });

  it('says that a demonstration is for no clinical use', () => {
    expect(html).toContain('Not for clinical use.');
    const real = report(probability, figures, 6);
    expect(reportHtml({ ...real, model: { ...real.model, demonstration: false } })).not.toContain(
      'Not for clinical use',
    );
  });

  it('draws the ROC, precision-recall, calibration and decision curves, each with a title and a description', () => {
    for (const id of ['roc', 'precision-recall', 'calibration', 'decision', 'histogram']) {
      expect(html).toContain(`aria-labelledby="${id}-title ${id}-desc"`);
      expect(html).toContain(`<desc id="${id}-desc">`);
    }
  });

  it('has the same bytes for the same report', () => {
    expect(reportHtml(report(probability, figures, 6))).toBe(html);
  });
});
