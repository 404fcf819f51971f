import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseAsOf } from '../../entrances/fhir-operation/parse-as-of.ts';
import { isFhirId } from '../../fhir/reference.ts';
import { PredictionError } from '../../platform/errors.ts';

/** One line of a list of rows. */
export interface ListedRow {
  readonly subject: string;
  readonly asOf?: Date;
  readonly encounter?: string;
}

const headings = ['subject', 'as_of', 'encounter'] as const;
type Heading = (typeof headings)[number];

/**
 * Reads a file line by line: ids of patients, one on a line; or CSV whose head names `subject` and perhaps `as_of` and
 * `encounter`. `Patient/…` and `Encounter/…` are ids too.
 * Throws PARAMETER_INVALID, with the line, for what is neither; a line is never passed over.
 */
export async function* readRowList(file: string, timeZone: string): AsyncGenerator<ListedRow> {
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  let columns: readonly Heading[] | undefined;
  let line = 0;
  for await (const raw of lines) {
    line += 1;
    const text = line === 1 ? raw.replace(/^\uFEFF/, '') : raw;
    if (text.trim() === '') continue;
    const refuse = (what: string): PredictionError =>
      new PredictionError('PARAMETER_INVALID', `--cohort ${file}, line ${line}: ${what}`);
    const cells = cellsOf(text);
    if (cells === undefined) throw refuse('quotes that do not close, or text beside them.');
    if (columns === undefined) {
      columns = headOf(cells, refuse);
      if (columns !== undefined) continue;
      columns = ['subject'];
    }
    if (cells.length !== columns.length) throw refuse(`${cells.length} cells under ${columns.length} headings.`);
    yield rowOf(new Map(columns.map((name, index) => [name, cells[index] ?? ''])), timeZone, refuse);
  }
}

/** What the lines of a list say beside the subject. */
export interface ListContent {
  readonly hasAsOf: boolean;
  readonly hasEncounter: boolean;
}

/** Reads the whole list once, so that a slip at its end does not come to light after hours. Throws PARAMETER_INVALID. */
export async function checkRowList(file: string, timeZone: string): Promise<ListContent> {
  let hasAsOf = false;
  let hasEncounter = false;
  let isEmpty = true;
  try {
    for await (const { asOf, encounter } of readRowList(file, timeZone)) {
      hasAsOf = asOf !== undefined;
      hasEncounter ||= encounter !== undefined;
      isEmpty = false;
    }
  } catch (error) {
    if (error instanceof PredictionError) throw error;
    const because = error instanceof Error && 'code' in error ? error.code : 'unknown error';
    throw new PredictionError('PARAMETER_INVALID', `--cohort ${file} cannot be read (${because}).`, { cause: error });
  }
  if (isEmpty) throw new PredictionError('PARAMETER_INVALID', `--cohort ${file} lists nobody.`);
  return { hasAsOf, hasEncounter };
}

/** Undefined for a first line that is no head. */
function headOf(cells: readonly string[], refuse: (what: string) => PredictionError): readonly Heading[] | undefined {
  if (!cells.includes('subject')) {
    if (cells.length > 1) throw refuse('a table begins with a head that names the column subject.');
    return undefined;
  }
  return cells.map((cell) => {
    const heading = headings.find((known) => known === cell);
    if (heading === undefined) throw refuse(`there is no column '${cell}': the columns are ${headings.join(', ')}.`);
    if (cells.filter((other) => other === cell).length > 1) throw refuse(`the column ${cell} stands there twice.`);
    return heading;
  });
}

function rowOf(
  cells: ReadonlyMap<Heading, string>,
  timeZone: string,
  refuse: (what: string) => PredictionError,
): ListedRow {
  const idOf = (heading: Heading, type: string): string => {
    const id = (cells.get(heading) ?? '').replace(`${type}/`, '');
    if (!isFhirId(id)) throw refuse(`${heading} must be the logical id of a ${type}.`);
    return id;
  };
  const asOf = cells.get('as_of');
  return {
    subject: idOf('subject', 'Patient'),
    ...(asOf === undefined ? {} : { asOf: asOfIn(asOf, timeZone, refuse) }),
    ...(cells.get('encounter') ? { encounter: idOf('encounter', 'Encounter') } : {}),
  };
}

function asOfIn(text: string, timeZone: string, refuse: (what: string) => PredictionError): Date {
  try {
    return parseAsOf(text, timeZone, 'as_of');
  } catch {
    throw refuse('as_of must be a date (the end of that day) or a dateTime with a zone.');
  }
}

/** The cells of one line by RFC 4180, trimmed; undefined where its quotes do not close within it. */
function cellsOf(line: string): string[] | undefined {
  const cells: string[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/y;
  while (pattern.lastIndex <= line.length) {
    const found = pattern.exec(line);
    if (found === null) return undefined;
    const [, quoted, plain = '', end] = found;
    cells.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
    if (end === '') return cells;
  }
  return undefined;
}
