import type { EvaluationReport } from '../../../model-catalog/evaluation-report-schema.ts';
import { differenceName } from '../difference.ts';
import { figureHtml, numberText } from './figure-text.ts';
import { htmlTable, htmlText } from './html-text.ts';
import { reportCharts } from './report-charts.ts';
import { reportStyle } from './report-style.ts';

/**
 * A report as one HTML page that needs nothing else: no script, no address that a browser would ask. The same report gives
 * the same bytes.
 */
export function reportHtml(report: EvaluationReport): string {
  const { model, outcome } = report;
  const title = `Evaluation of ${model.id}@${model.version}: ${outcome.label}`;
  return `${[
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${htmlText(title)}</title><style>${reportStyle}</style></head><body><main>`,
    `<h1>${htmlText(title)}</h1>`,
    ...(model.demonstration
      ? ['<p class="banner" role="note"><strong>A demonstration. Not for clinical use.</strong></p>']
      : []),
    `<p>${htmlText(model.title)}. The figures hold for the rows that are described here, and for nobody else.</p>`,
    ...(report.notes.length > 0
      ? [`<h2>To be known</h2><ul>${report.notes.map((note) => `<li>${htmlText(note)}</li>`).join('')}</ul>`]
      : []),
    '<h2>What was evaluated</h2>',
    identityTable(report),
    '<h2>Rows</h2>',
    rowsTable(report.rows),
    '<h2>Figures</h2><p>Each with its 95 % interval.</p>',
    htmlTable(
      'Figures',
      ['figure', 'value'],
      Object.entries(report.measures).map(([name, figure]) => [htmlText(name), figureHtml(figure)]),
    ),
    ...(report.curves === undefined ? [] : ['<h2>Curves</h2>', reportCharts(report.curves, report.measures)]),
    ...(report.thresholds === undefined ? [] : ['<h2>Thresholds</h2>', thresholdsTable(report.thresholds)]),
    ...classTables(report),
    '<h2>Groups</h2>',
    report.subgroups.length === 0
      ? '<p>The rows do not say sex, age or race: nothing is known of differences between groups.</p>'
      : report.subgroups.map(groupTable).join('\n'),
    '</main></body></html>',
  ].join('\n')}\n`;
}

function identityTable({ model, outcome, data, settings }: EvaluationReport): string {
  const { labels } = data;
  const truth =
    'column' in labels
      ? `column ${labels.column} of the matrix`
      : 'file' in labels
        ? `${labels.file.name} (SHA-256 ${labels.file.sha256})`
        : `events declared in ${labels.events.name} (SHA-256 ${labels.events.sha256})`;
  const rows: [string, string | undefined][] = [
    ['model', `${model.id}@${model.version}`],
    ['digest', model.digest],
    ['outcome', `${outcome.id} (${outcome.kind}${outcome.unit === undefined ? '' : `, ${outcome.unit}`})`],
    ['horizon', outcome.horizon],
    ['matrix', data.matrix && `${data.matrix.name} (SHA-256 ${data.matrix.sha256})`],
    ['cohort', data.cohort],
    ['as-of', data.time],
    ['truth', truth],
    ['bootstrap', `${settings.resamples} resamples, seed ${settings.seed}`],
    ['smallest group', `${settings.fewest} events and ${settings.fewest} others (or rows)`],
  ];
  return htmlTable(
    'What was evaluated',
    ['', ''],
    rows.flatMap(([name, value]) => (value === undefined ? [] : [[htmlText(name), htmlText(value)]])),
  );
}

function rowsTable({ reasons, ...counts }: EvaluationReport['rows']): string {
  const listed = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([reason, count]) => `${htmlText(reason)}: ${count}`)
      .join('<br>');
  return htmlTable(
    'What became of the rows',
    ['', 'rows', 'why'],
    [
      ['read', `${counts.read}`, ''],
      ['evaluated', `${counts.evaluated}`, ''],
      ['abstained', `${counts.abstained}`, listed(reasons.abstained)],
      ['failed', `${counts.failed}`, listed(reasons.failed)],
      ['without a label', `${counts.withoutLabel}`, ''],
      ['left out', `${counts.leftOut}`, listed(reasons.leftOut)],
    ],
  );
}

function thresholdsTable(thresholds: NonNullable<EvaluationReport['thresholds']>): string {
  const heads = [
    'at or above',
    'because',
    'alerts per 100',
    'recall (sensitivity)',
    'specificity',
    'precision (PPV)',
    'NPV',
    'F1',
    'accuracy',
    'net benefit',
  ];
  return htmlTable(
    'What an alert at or above a threshold does',
    heads,
    thresholds.map((row) => [
      // As it is: rounded, it would be another threshold.
      String(row.threshold),
      htmlText(row.because),
      numberText(row.alertsPer100),
      ...[row.recall, row.specificity, row.precision, row.negativePredictiveValue, row.f1, row.accuracy].map(
        figureHtml,
      ),
      row.netBenefit === undefined ? '' : figureHtml(row.netBenefit),
    ]),
  );
}

function classTables({ classes, confusion }: EvaluationReport): string[] {
  if (classes === undefined || confusion === undefined) return [];
  const codes = classes.map(({ code }) => code);
  return [
    '<h2>Classes</h2>',
    htmlTable(
      'Each class against all others',
      ['class', 'rows', 'precision', 'recall', 'F1'],
      classes.map(({ code, rows, precision, recall, f1 }) => [
        htmlText(code),
        `${rows}`,
        ...[precision, recall, f1].map(figureHtml),
      ]),
    ),
    htmlTable(
      'Rows by true class (down) and by the class that the model said (across)',
      ['true class', ...codes],
      confusion.map((line, index) => [htmlText(codes[index] ?? ''), ...line.map(String)]),
    ),
  ];
}

function groupTable({ by, notKnown, groups }: EvaluationReport['subgroups'][number]): string {
  const names = [...new Set(groups.flatMap(({ measures }) => Object.keys(measures)))];
  const caption = `By ${by}${notKnown === 0 ? '' : `; not known of ${notKnown} rows`}`;
  return htmlTable(
    caption,
    [
      'group',
      'rows',
      'events',
      ...names.flatMap((name) => [
        name,
        `${name}, ${differenceName(name) === name ? 'less' : 'divided by'} that of the rest`,
      ]),
    ],
    groups.map(({ group, rows, events, tooFew, measures, differences }) => [
      `${htmlText(group)}${tooFew === undefined ? '' : `<br><span class="none">too few: ${htmlText(tooFew)}</span>`}`,
      `${rows}`,
      events === undefined ? '' : `${events}`,
      ...names.flatMap((name) => {
        const [measure, difference] = [measures[name], differences[differenceName(name)]];
        if (measure === undefined) return ['', ''];
        return [figureHtml(measure), figureHtml(difference ?? { unavailable: 'the report has none' })];
      }),
    ]),
  );
}
