import type { EvaluationReport } from '../../../model-catalog/evaluation-report-schema.ts';
import { numberText } from './figure-text.ts';
import { htmlTable } from './html-text.ts';
import { type Mark, svgChart } from './svg-chart.ts';

type Curves = NonNullable<EvaluationReport['curves']>;
type Measures = EvaluationReport['measures'];

const share = (label: string) => ({ label, from: 0, to: 1 });
const diagonal: Mark = {
  kind: 'line',
  className: 'reference',
  points: [
    { x: 0, y: 0 },
    { x: 1, y: 1 },
  ],
};

/** The drawings of a report, each with its words and, where it is short, its numbers as a table. */
export function reportCharts(curves: Curves, measures: Measures): string {
  const drawn = [roc(curves, measures), precisionRecall(curves, measures)];
  if (curves.calibration !== undefined) drawn.push(calibration(curves.calibration, measures));
  drawn.push(histogram(curves.histogram));
  if (curves.decision !== undefined) drawn.push(decision(curves.decision));
  return `<div class="charts">${drawn.map((chart) => `<figure>${chart}</figure>`).join('\n')}</div>`;
}

function roc({ roc: points }: Curves, measures: Measures): string {
  const title = 'ROC curve';
  return `<figcaption>${title}</figcaption>${svgChart({
    id: 'roc',
    title,
    description: `Recall by false positive rate at every threshold. The area under the curve is ${valueText(measures.auroc)}; 0.5 is chance, the dashed line.`,
    x: share('false positive rate (1 - specificity)'),
    y: share('recall (sensitivity)'),
    marks: [
      diagonal,
      {
        kind: 'line',
        className: 'model',
        points: points.map((point) => ({ x: point.falsePositiveRate, y: point.recall })),
      },
    ],
  })}`;
}

function precisionRecall({ precisionRecall: points }: Curves, measures: Measures): string {
  const title = 'Precision-recall curve';
  const prevalence = numberOf(measures.prevalence);
  const chance: Mark[] =
    prevalence === undefined
      ? []
      : [
          {
            kind: 'line',
            className: 'reference',
            points: [
              { x: 0, y: prevalence },
              { x: 1, y: prevalence },
            ],
          },
        ];
  return `<figcaption>${title}</figcaption>${svgChart({
    id: 'precision-recall',
    title,
    description: `Precision by recall at every threshold. The average precision is ${valueText(measures['average-precision'])}; the prevalence, which alerts at random would have, is ${valueText(measures.prevalence)}, the dashed line.`,
    x: share('recall (sensitivity)'),
    y: share('precision (positive predictive value)'),
    marks: [
      ...chance,
      {
        kind: 'line',
        className: 'model',
        // In steps: the precision of a threshold holds back to the recall of the one before.
        points: points.flatMap(({ recall, precision }, index) => [
          { x: points[index - 1]?.recall ?? 0, y: precision },
          { x: recall, y: precision },
        ]),
      },
    ],
  })}`;
}

function calibration({ groups, isotonic }: NonNullable<Curves['calibration']>, measures: Measures): string {
  const title = 'Calibration';
  const dots = groups.flatMap(({ meanScore, observed }): Mark[] =>
    'interval' in observed
      ? [
          {
            kind: 'dot',
            className: 'group',
            at: { x: meanScore, y: observed.value },
            from: observed.interval.low,
            to: observed.interval.high,
          },
        ]
      : [],
  );
  const table = htmlTable(
    'Groups of about as many rows, by probability',
    ['mean probability', 'observed', 'interval', 'events of rows'],
    groups.map(({ rows, events, meanScore, observed }) => [
      numberText(meanScore),
      valueText(observed),
      'interval' in observed ? `${numberText(observed.interval.low)} to ${numberText(observed.interval.high)}` : '',
      `${events} of ${rows}`,
    ]),
  );
  return `<figcaption>${title}</figcaption>${svgChart({
    id: 'calibration',
    title,
    description: `Share of rows with the event by probability: dots are ten groups with 95 % intervals, the line is the isotonic regression, the dashed line is perfect calibration. Intercept ${valueText(measures['calibration-intercept'])} (0 is right), slope ${valueText(measures['calibration-slope'])} (1 is right).`,
    x: share('probability that the model gave'),
    y: share('share with the event'),
    marks: [
      diagonal,
      { kind: 'line', className: 'model', points: isotonic.map(({ score, observed }) => ({ x: score, y: observed })) },
      ...dots,
    ],
  })}<details><summary>The groups as a table</summary>${table}</details>`;
}

function histogram(bins: Curves['histogram']): string {
  const title = 'Scores of rows with and without the event';
  const most = Math.max(1, ...bins.map(({ events, others }) => events + others));
  const marks = bins.flatMap(({ from, to, events, others }): Mark[] => [
    { kind: 'bar', className: 'others', from: { x: from, y: 0 }, to: { x: to, y: others } },
    { kind: 'bar', className: 'events', from: { x: from, y: others }, to: { x: to, y: others + events } },
  ]);
  const table = htmlTable(
    title,
    ['score', 'with the event', 'without'],
    bins
      .filter(({ events, others }) => events + others > 0)
      .map(({ from, to, events, others }) => [`${numberText(from)} to ${numberText(to)}`, `${events}`, `${others}`]),
  );
  return `<figcaption>${title}</figcaption>${svgChart({
    id: 'histogram',
    title,
    description: 'How many rows have which score; the darker upper part of a bar are those with the event.',
    x: { label: 'score', from: bins[0]?.from ?? 0, to: bins.at(-1)?.to ?? 1 },
    y: { label: 'rows', from: 0, to: most },
    marks,
    height: 240,
  })}<details><summary>The bars as a table</summary>${table}</details>`;
}

function decision(points: NonNullable<Curves['decision']>): string {
  const title = 'Decision curve';
  const most = Math.max(0.01, ...points.map(({ model, everybody }) => Math.max(model, everybody)));
  const line = (className: string, of: (point: (typeof points)[number]) => number): Mark => ({
    kind: 'line',
    className,
    points: points.map((point) => ({ x: point.threshold, y: of(point) })),
  });
  const table = htmlTable(
    'Net benefit by threshold; acting on nobody is 0',
    ['threshold', 'by the model', 'on everybody'],
    points
      .filter((_, index) => index % 10 === 9)
      .map(({ threshold, model, everybody }) => [numberText(threshold), numberText(model), numberText(everybody)]),
  );
  return `<figcaption>${title}</figcaption>${svgChart({
    id: 'decision',
    title,
    description:
      'Net benefit by the probability at which somebody would act: by the model (line), acting on everybody (dashed) and on nobody (0). The model is of use where its line is the highest.',
    x: share('threshold probability'),
    y: { label: 'net benefit', from: -most / 4, to: most },
    marks: [
      line('reference', ({ everybody }) => everybody),
      line('reference', () => 0),
      line('model', ({ model }) => model),
    ],
  })}<details><summary>The curve as a table</summary>${table}</details>`;
}

function numberOf(figure: Measures[string] | undefined): number | undefined {
  return figure !== undefined && 'value' in figure ? figure.value : undefined;
}

function valueText(figure: Measures[string] | undefined): string {
  const value = numberOf(figure);
  return value === undefined ? 'not available' : numberText(value);
}
