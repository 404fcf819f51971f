import { parseArgs } from 'node:util';
import { PredictionError } from '../../platform/errors.ts';
import { parseRowChoice, type RowChoice } from '../extract/row-choice.ts';

/** Where the truth of the rows comes from. */
export type LabelSource = { readonly column: string } | { readonly file: string } | { readonly events: string };

/** Where the rows come from. */
export type RowSource =
  | { readonly matrix: string; readonly column: string; readonly groups: readonly string[] | undefined }
  | (RowChoice & { readonly asked: AskedRows; readonly labels: Exclude<LabelSource, { column: string }> });

/** How a cohort was asked for, as the report repeats it. */
export interface AskedRows {
  readonly cohort: string;
  readonly time: string;
}

export interface EvaluateOptions {
  readonly model: string;
  readonly version: string | undefined;
  /** Absent: the only one of the model. */
  readonly outcome: string | undefined;
  readonly rows: RowSource;
  readonly settings: {
    readonly seed: number;
    readonly resamples: number;
    readonly fewest: number;
    readonly thresholds: readonly number[];
  };
  readonly out: string;
  readonly force: boolean;
}

const example = 'for example: fhirsight evaluate --model prevent-base --file test.csv --label event --out report.html';

/** Options of `fhirsight evaluate`. Throws PARAMETER_INVALID; a list of rows is read once for that. */
export async function parseEvaluateOptions(args: readonly string[], timeZone: () => string): Promise<EvaluateOptions> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      outcome: { type: 'string' },
      file: { type: 'string' },
      cohort: { type: 'string' },
      'as-of': { type: 'string' },
      anchor: { type: 'string' },
      class: { type: 'string', multiple: true },
      label: { type: 'string' },
      'label-file': { type: 'string' },
      'label-event': { type: 'string' },
      group: { type: 'string', multiple: true },
      threshold: { type: 'string', multiple: true },
      fewest: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      resamples: { type: 'string', default: '1000' },
      out: { type: 'string' },
      force: { type: 'boolean', default: false },
    },
  });
  const { model, out } = values;
  if (model === undefined || out === undefined) throw invalid(`evaluate needs --model and --out, ${example}`);
  if (!/\.(html|json)$/.test(out)) throw invalid(`--out ends with .html or .json, not '${out}'.`);
  const [id = '', version, ...more] = model.split('@');
  if (id === '' || version === '' || more.length > 0) throw invalid('--model is ID or ID@VERSION.');
  return {
    model: id,
    version,
    outcome: values.outcome,
    rows: await rowSource(values, timeZone),
    settings: {
      seed: wholeNumber('--seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
      resamples: wholeNumber('--resamples', values.resamples, 100, 100_000),
      fewest: wholeNumber('--fewest', values.fewest, 2, 1_000_000),
      thresholds: (values.threshold ?? []).map((text) => numberOf('--threshold', text)),
    },
    out,
    force: values.force,
  };
}

interface GivenRows {
  readonly file?: string | undefined;
  readonly cohort?: string | undefined;
  readonly 'as-of'?: string | undefined;
  readonly anchor?: string | undefined;
  readonly class?: string[] | undefined;
  readonly label?: string | undefined;
  readonly 'label-file'?: string | undefined;
  readonly 'label-event'?: string | undefined;
  readonly group?: string[] | undefined;
}

async function rowSource(given: GivenRows, timeZone: () => string): Promise<RowSource> {
  const { file, cohort, label, group } = given;
  const [labelFile, labelEvent] = [given['label-file'], given['label-event']];
  if ((file === undefined) === (cohort === undefined))
    throw invalid(`evaluate needs either --file or --cohort, ${example}`);
  if (file !== undefined) {
    const misplaced = (['as-of', 'anchor', 'class', 'label-file', 'label-event'] as const).find(
      (name) => given[name] !== undefined,
    );
    if (misplaced !== undefined)
      throw invalid(`--${misplaced} goes with --cohort; with --file the truth is --label COLUMN.`);
    if (label === undefined)
      throw invalid(`--file needs --label, the name of the column that holds the truth, ${example}`);
    if (!/\.(csv|parquet)$/.test(file)) throw invalid(`--file ends with .csv or .parquet, not '${file}'.`);
    return { matrix: file, column: label, groups: group };
  }
  if (label !== undefined || group !== undefined)
    throw invalid('--label and --group name columns of --file; a cohort has --label-file or --label-event.');
  if ((labelFile === undefined) === (labelEvent === undefined))
    throw invalid('--cohort needs either --label-file (CSV with subject and label) or --label-event (a declaration).');
  const choice = { cohort: cohort ?? '', asOf: given['as-of'], anchor: given.anchor, classes: given.class };
  const time = [given['as-of'] ?? given.anchor ?? 'column as_of of the cohort', ...(given.class ?? [])].join(' ');
  return {
    ...(await parseRowChoice(choice, timeZone, 'evaluate')),
    asked: { cohort: cohort ?? '', time },
    labels: labelFile === undefined ? { events: labelEvent ?? '' } : { file: labelFile },
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw invalid(`${name} is a whole number from ${least} to ${most}, not '${text}'.`);
}

function numberOf(name: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(number)) return number;
  throw invalid(`${name} is a number, not '${text}'.`);
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message);
}
