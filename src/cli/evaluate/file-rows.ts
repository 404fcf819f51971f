import { compileFeatureMap } from '../../features/compile-feature-map.ts';
import type { ModelRow } from '../../model-catalog/model-row.ts';
import { inputTensors } from '../../model-catalog/model-tensors.ts';
import type { ModelVersion } from '../../model-catalog/model-version.ts';
import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import { PredictionError } from '../../platform/errors.ts';
import { matrixColumns } from '../extract/matrix-columns.ts';
import { ageBand } from './age-band.ts';
import type { TableRecord } from './csv-records.ts';
import type { EvaluationRow, RowStream } from './evaluation-row.ts';
import { truthReader } from './read-truth.ts';
import type { TableFile } from './table-file.ts';

type Model = Pick<ModelVersion, 'key' | 'manifest' | 'featureMap' | 'lookups' | 'digest'>;

export interface FileRows extends RowStream {
  /** What a reader must know of the file; whole when all rows were read. */
  readonly notes: readonly string[];
}

/**
 * The rows of a matrix that `extract` wrote, or of one that has only the columns of the model's input, with a column for the
 * truth. What the model is given is what the cells say; nothing is mapped again.
 * Throws PARAMETER_INVALID, also while rows are read, for columns that are wrong or missing, and for cells that are no number.
 * @param groups columns that rows are told apart by; absent: sex, age, race and ethnicity, where the file has them
 */
export function fileRows(
  table: TableFile,
  model: Model,
  outcome: Outcome,
  { column, groups }: { readonly column: string; readonly groups: readonly string[] | undefined },
): FileRows {
  const said = `--file ${table.name}`;
  const at = (name: string): number | undefined => {
    const index = table.columns.indexOf(name);
    return index < 0 ? undefined : index;
  };
  const inputs = inputCells(table, model, said);
  const label = at(column);
  if (label === undefined)
    throw invalid(`${said} has no column '${column}', which --label names. It has: ${listed(table.columns)}.`);
  const truthOf = truthReader(outcome);
  const grouped = groupCells(table, model, groups, said);
  const cells = {
    error: at('error'),
    verdict: at(`${outcome.id}.verdict`),
    reasons: at(`${outcome.id}.reasons`),
    reason: at(`${column}.reason`),
  };
  const foreign = foreignRows(model, at('model'), at('digest'), said);
  const read = ({ cells: given, line }: TableRecord): EvaluationRow => {
    const cell = (index: number | undefined): string => (index === undefined ? '' : (given[index] ?? ''));
    const place = `${said}, ${table.name.endsWith('.parquet') ? 'row' : 'line'} ${line}`;
    foreign.look(cell, place);
    if (cell(cells.error) !== '') return { state: 'failed', code: cell(cells.error).split(':')[0] ?? '' };
    const verdict = cell(cells.verdict);
    if (verdict !== '' && verdict !== 'score')
      return { state: 'abstained', reasons: reasonsOf(verdict, cell(cells.reasons)) };
    const truth = truthOf(cell(label), `${place}, column ${column}`);
    if (truth === undefined) return withoutLabel(cell(cells.reason));
    return { state: 'labelled', x: inputs(given, place), truth, groups: grouped.map(({ of }) => of(given)) };
  };
  const rows = async function* (): AsyncGenerator<EvaluationRow> {
    for await (const record of table.records) yield read(record);
  };
  return {
    rows: rows(),
    groupings: grouped.map(({ by }) => by),
    get notes() {
      return [
        ...foreign.notes(),
        ...(cells.verdict === undefined
          ? [
              'The matrix does not say about whom the model may speak: every row was scored, as if it was in its population.',
            ]
          : []),
      ];
    },
  };
}

/** Reads the input of a row. Throws PARAMETER_INVALID unless the file has exactly the columns of the input. */
function inputCells(
  { columns, name: file }: TableFile,
  { key, manifest, featureMap, lookups, digest }: Model,
  said: string,
): (cells: readonly string[], place: string) => ModelRow {
  const image = inputTensors(manifest).find((input) => input.image !== undefined)?.image;
  if (image !== undefined)
    throw invalid(
      `${said} cannot hold ${image}, an image that ${key} takes: no table does. Evaluate it over records: --cohort with --label-file or --label-event.`,
    );
  const compiled = compileFeatureMap(featureMap, lookups);
  const isInput = (name: string): boolean => /^x\.\d+\./.test(name);
  const wanted = matrixColumns({ manifest, digest, compiled }).filter(({ name }) => isInput(name));
  const missing = wanted.filter(({ name }) => !columns.includes(name)).map(({ name }) => name);
  const others = columns.filter((name) => isInput(name) && !wanted.some((column) => column.name === name));
  if (missing.length > 0)
    throw invalid(
      `${said} lacks ${missing.length} of the ${wanted.length} columns of the input of ${key}: ${listed(missing)}.${others.length > 0 ? ` It has ${listed(others)} instead.` : ''} fhirsight extract writes them.`,
    );
  if (others.length > 0) throw invalid(`${said} has columns that are no input of ${key}: ${listed(others)}.`);
  const forms = inputTensors(manifest).flatMap(({ type, acceptsNaN, columns: of }) =>
    of.map(() => ({ isText: type === 'string', acceptsNaN: acceptsNaN === true })),
  );
  // In CSV a text that begins like a formula, or with an apostrophe, has an apostrophe more: see csvTextCell.
  const textOf = file.endsWith('.parquet') ? (text: string) => text : (text: string) => text.replace(/^'/, '');
  const readers = wanted.map(({ name }, index) => {
    const { isText = false, acceptsNaN = false } = forms[index] ?? {};
    const at = columns.indexOf(name);
    return (cells: readonly string[], place: string): number | string => {
      const text = cells[at] ?? '';
      if (isText) return textOf(text);
      const number = numberOf(text.trim(), acceptsNaN);
      if (number !== undefined) return number;
      throw invalid(
        `${place}, column ${name}: '${text.slice(0, 40)}' is no number${acceptsNaN ? ', and not NaN' : ''}. A row that the model may not score has a verdict that says so.`,
      );
    };
  });
  return (cells, place) => readers.map((read) => read(cells, place));
}

function numberOf(text: string, acceptsNaN: boolean): number | undefined {
  if (acceptsNaN && /^nan$/i.test(text)) return Number.NaN;
  const number = text === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

interface GroupCell {
  readonly by: string;
  of(cells: readonly string[]): string | undefined;
}

function groupCells(
  { columns }: TableFile,
  { featureMap }: Model,
  asked: readonly string[] | undefined,
  said: string,
): GroupCell[] {
  const elements = new Map(
    Object.entries(featureMap.features).flatMap(([name, definition]) =>
      definition.kind === 'demographics' ? [[name, definition.element] as const] : [],
    ),
  );
  const usual = ['sex', 'age', 'race', 'ethnicity'];
  for (const name of usual)
    if (!elements.has(name) && featureMap.features[name] === undefined) elements.set(name, name as 'sex');
  const absent = asked?.find((name) => !columns.includes(name));
  if (absent !== undefined)
    throw invalid(`${said} has no column '${absent}', which --group names. It has: ${listed(columns)}.`);
  const chosen = asked ?? [...elements.keys()].filter((name) => columns.includes(name));
  return chosen.map((name) => {
    const index = columns.indexOf(name);
    const isAge = elements.get(name) === 'age';
    return {
      by: name,
      of(cells) {
        const text = cells[index]?.trim() ?? '';
        if (text === '') return undefined;
        return isAge ? ageBand(Number(text)) : text;
      },
    };
  });
}

/** Rows that another model or version made: the first are refused, the second are said. */
function foreignRows(
  { key, manifest, digest }: Model,
  model: number | undefined,
  made: number | undefined,
  said: string,
) {
  const digests = new Set<string>();
  return {
    look(cell: (index: number | undefined) => string, place: string): void {
      const id = cell(model);
      if (id !== '' && id !== manifest.id)
        throw invalid(
          `${place}: the row was made for the model ${id}, not for ${key}. Evaluate that one, or extract again.`,
        );
      const other = cell(made);
      if (other !== '' && other !== digest) digests.add(other);
    },
    notes: (): string[] =>
      [...digests].map(
        (other) =>
          `Rows of ${said.replace('--file ', '')} were made by another state of the model (digest ${other}): what it was given may differ from what ${key} would read today.`,
      ),
  };
}

/** `extract --label-event` says why a row has no label. */
function withoutLabel(reason: string): EvaluationRow {
  return reason === '' ? { state: 'without-label' } : { state: 'left-out', reason };
}

function reasonsOf(verdict: string, reasons: string): string[] {
  const found = reasons.split(' ').filter((reason) => reason !== '');
  return found.length === 0 ? [verdict] : found;
}

const mostListed = 12;

function listed(names: readonly string[]): string {
  const more = names.length > mostListed ? ` and ${names.length - mostListed} more` : '';
  return `${names.slice(0, mostListed).join(', ')}${more}`;
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message);
}
