import { parseArgs } from 'node:util';
import { PredictionError } from '../../platform/errors.ts';
import { csvMatrix } from './csv-matrix.ts';
import type { OpenMatrixWriter } from './matrix-writer.ts';
import { parquetMatrix } from './parquet-matrix.ts';
import { parseRowChoice, type RowChoice } from './row-choice.ts';

export interface ExtractOptions extends RowChoice {
  /** A model that is served, or a folder whose model is still to be trained. */
  readonly model: { readonly id: string; readonly version?: string } | { readonly draft: string };
  /** File that declares what rows are labelled with; absent: they have no labels. */
  readonly labelEvent?: string;
  readonly out: string;
  readonly force: boolean;
  readonly openWriter: OpenMatrixWriter;
}

const example =
  'for example: fhirsight extract --model prevent-base --cohort all --as-of 2026-03-01 --out features.parquet';

/** Options of `fhirsight extract`. Throws PARAMETER_INVALID; a list of rows is read once for that. */
export async function parseExtractOptions(args: readonly string[], timeZone: () => string): Promise<ExtractOptions> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      draft: { type: 'string' },
      cohort: { type: 'string' },
      'as-of': { type: 'string' },
      anchor: { type: 'string' },
      class: { type: 'string', multiple: true },
      'label-event': { type: 'string' },
      out: { type: 'string' },
      force: { type: 'boolean', default: false },
    },
  });
  const { cohort, out } = values;
  const model = modelOf(values);
  if (model === undefined || cohort === undefined || out === undefined)
    throw invalid(`extract needs --model (or --draft), --cohort and --out, ${example}`);
  const openWriter = writerOf(out);
  const given = { cohort, asOf: values['as-of'], anchor: values.anchor, classes: values.class };
  return {
    model,
    ...(await parseRowChoice(given, timeZone, 'extract')),
    ...(values['label-event'] === undefined ? {} : { labelEvent: values['label-event'] }),
    out,
    force: values.force,
    openWriter,
  };
}

function modelOf({
  model,
  draft,
}: {
  readonly model?: string;
  readonly draft?: string;
}): ExtractOptions['model'] | undefined {
  if (model !== undefined && draft !== undefined) throw invalid('extract takes --model or --draft, not both.');
  if (draft !== undefined) return { draft };
  if (model === undefined) return undefined;
  const [id = '', version, ...more] = model.split('@');
  if (id === '' || version === '' || more.length > 0) throw invalid('--model is ID or ID@VERSION.');
  return { id, ...(version === undefined ? {} : { version }) };
}

function writerOf(out: string): OpenMatrixWriter {
  if (out.endsWith('.csv')) return csvMatrix;
  if (out.endsWith('.parquet')) return parquetMatrix;
  throw invalid(`--out ends with .csv or .parquet, not '${out}'.`);
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message);
}
