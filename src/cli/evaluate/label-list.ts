import { parseAsOf } from '../../entrances/fhir-operation/parse-as-of.ts';
import { isFhirId } from '../../fhir/reference.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ReadTruth } from './read-truth.ts';
import { openTable } from './table-file.ts';

/** The labels of a file, by whom and when they are about. */
export interface LabelList {
  readonly file: { readonly name: string; readonly sha256: string };
  /** Undefined where the file has none, or an empty one. */
  of(subject: string, asOf: Date): number | undefined;
  /** How many labels nobody asked for. */
  unused(): number;
}

/**
 * Reads CSV (or Parquet) with `subject`, `label` and perhaps `as_of`; other columns are passed over. Without `as_of` a label
 * is about every row of its subject.
 * Throws PARAMETER_INVALID with the line for what is no id, no time or no label, and for one that stands there twice.
 */
export async function readLabelList(path: string, truthOf: ReadTruth, timeZone: string): Promise<LabelList> {
  const table = await openTable(path, '--label-file');
  const said = `--label-file ${table.name}`;
  const [subjectAt, labelAt, asOfAt] = ['subject', 'label', 'as_of'].map((name) => table.columns.indexOf(name));
  if (subjectAt === undefined || labelAt === undefined || subjectAt < 0 || labelAt < 0)
    throw new PredictionError(
      'PARAMETER_INVALID',
      `${said} needs the columns subject and label (and as_of, where a subject has several rows). It has: ${table.columns.join(', ')}.`,
    );
  const hasAsOf = asOfAt !== undefined && asOfAt >= 0;
  const labels = new Map<string, number | undefined>();
  const used = new Set<string>();
  const keyOf = (subject: string, asOf: Date | undefined): string =>
    hasAsOf ? `${subject} ${asOf?.getTime()}` : subject;
  for await (const { cells, line } of table.records) {
    const place = `${said}, line ${line}`;
    const subject = (cells[subjectAt] ?? '').trim().replace('Patient/', '');
    if (!isFhirId(subject))
      throw new PredictionError('PARAMETER_INVALID', `${place}: subject must be the logical id of a Patient.`);
    const asOf = hasAsOf ? asOfIn((cells[asOfAt] ?? '').trim(), timeZone, place) : undefined;
    const key = keyOf(subject, asOf);
    if (labels.has(key))
      throw new PredictionError(
        'PARAMETER_INVALID',
        `${place}: ${subject} has a label already; name as_of where there are several.`,
      );
    labels.set(key, truthOf(cells[labelAt] ?? '', `${place}, column label`));
  }
  return {
    file: { name: table.name, sha256: table.sha256() },
    of(subject, asOf) {
      const key = keyOf(subject, asOf);
      if (labels.has(key)) used.add(key);
      return labels.get(key);
    },
    unused: () => labels.size - used.size,
  };
}

function asOfIn(text: string, timeZone: string, place: string): Date {
  try {
    return parseAsOf(text, timeZone, 'as_of');
  } catch (cause) {
    if (!(cause instanceof PredictionError)) throw cause;
    throw new PredictionError('PARAMETER_INVALID', `${place}: ${cause.message}`, { cause });
  }
}
