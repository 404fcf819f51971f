import { parseArgs } from 'node:util';
import { parseAsOf } from '../../entrances/fhir-operation/parse-as-of.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { Cohort } from '../../runs/run.ts';
import type { Anchor } from './anchor-rows.ts';
import { csvMatrix } from './csv-matrix.ts';
import type { OpenMatrixWriter } from './matrix-writer.ts';
import { parquetMatrix } from './parquet-matrix.ts';
import { checkRowList, type ListContent } from './row-list.ts';

/** Which instant a row is about: one for all, one for each encounter, or that of the line of the list. */
export type RowTime =
  | { readonly asOf: Date }
  | { readonly anchor: Anchor; readonly classes: readonly string[] }
  | { readonly from: 'list' };

export interface ExtractOptions {
  /** A model that is served, or a folder whose model is still to be trained. */
  readonly model: { readonly id: string; readonly version?: string } | { readonly draft: string };
  readonly cohort: Cohort | { readonly list: string };
  readonly time: RowTime;
  readonly out: string;
  readonly force: boolean;
  readonly openWriter: OpenMatrixWriter;
}

const example =
  'for example: fhirsight extract --model prevent-base --cohort all --as-of 2026-03-01 --out features.parquet';
const nothingListed: ListContent = { hasAsOf: false, hasEncounter: false };
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

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
      out: { type: 'string' },
      force: { type: 'boolean', default: false },
    },
  });
  const { cohort, out } = values;
  const model = modelOf(values);
  if (model === undefined || cohort === undefined || out === undefined)
    throw invalid(`extract needs --model (or --draft), --cohort and --out, ${example}`);
  const openWriter = writerOf(out);
  const who = cohortOf(cohort);
  const given = { asOf: values['as-of'], anchor: values.anchor, classes: values.class };
  const listed = 'list' in who ? await checkRowList(who.list, timeZone()) : nothingListed;
  return {
    model,
    cohort: who,
    time: timeOf(given, listed, timeZone),
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

function cohortOf(text: string): ExtractOptions['cohort'] {
  if (text === 'all') return { all: true };
  if (text.startsWith('Group/')) return { group: text };
  if (text.startsWith('Patient?')) return { search: text };
  return { list: text };
}

function timeOf(
  { asOf, anchor, classes }: { asOf: string | undefined; anchor: string | undefined; classes: string[] | undefined },
  { hasAsOf, hasEncounter }: ListContent,
  timeZone: () => string,
): RowTime {
  const ways = [asOf, anchor, hasAsOf || undefined].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw invalid(
      `extract needs one of --as-of, --anchor and a column as_of in the list of --cohort; ${ways.length === 0 ? 'none' : 'more'} was given.`,
    );
  if (classes !== undefined && anchor === undefined) throw invalid('--class goes with --anchor.');
  if (anchor !== undefined && hasEncounter)
    throw invalid('--anchor takes each encounter of a subject: leave the column encounter out of the list.');
  if (asOf !== undefined) return { asOf: parseAsOf(asOf, timeZone(), '--as-of') };
  if (anchor === undefined) return { from: 'list' };
  if (anchor !== 'encounter-start' && anchor !== 'encounter-end')
    throw invalid(`--anchor is encounter-start or encounter-end, not '${anchor}'.`);
  return { anchor, classes: (classes ?? []).map(classToken) };
}

/** A bare code is one of the HL7 codes that R4 binds the class of encounters to. */
function classToken(text: string): string {
  if (/^[A-Za-z0-9-]{1,32}$/.test(text)) return `${actCode}|${text}`;
  if (/^[^|\s]+\|[^|\s]+$/.test(text)) return text;
  throw invalid(`--class is a code (IMP) or system|code, not '${text}'.`);
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message);
}
