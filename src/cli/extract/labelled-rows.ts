import { compileLabel } from '../evaluate/label-of-events.ts';
import { labelQueries } from '../evaluate/label-queries.ts';
import { labelRecords } from '../evaluate/label-records.ts';
import { readLabelEvent } from '../evaluate/read-label-event.ts';
import type { RowFacts } from './matrix-columns.ts';
import type { RowParts } from './matrix-rows.ts';
import { slicesOf } from './row-requests.ts';

/** Rows with their labels, in the same order. */
export type LabelRows = (rows: AsyncIterable<RowFacts>, signal: AbortSignal) => AsyncGenerator<RowFacts>;

/**
 * Labels rows by what happened after their as-of, as `fhirsight evaluate` does. What a label is told from is read after the
 * inputs and never reaches them; a row whose record cannot be read for it is a row with an error.
 * @param file declares event, horizon and follow-up, see `labelEventSchema`
 * Throws PARAMETER_INVALID where the file is wrong.
 */
export async function openEventLabels(file: string, parts: RowParts): Promise<LabelRows> {
  const now = parts.clock.now();
  const { declared } = await readLabelEvent(file, now, parts.timeZone);
  const queries = labelQueries(declared);
  const label = compileLabel(declared, { timeZone: parts.timeZone, now });
  return async function* (rows, signal) {
    for await (const slice of slicesOf(rows, parts.sliceSize)) {
      const subjects = new Set(slice.flatMap(({ inputs, subject }) => (inputs === undefined ? [] : [subject])));
      const records = await labelRecords(parts, [...subjects], queries, signal);
      for (const row of slice) {
        if (row.inputs === undefined || row.asOf === undefined) {
          yield row;
          continue;
        }
        const record = records.get(row.subject);
        const patient = record === undefined || 'code' in record ? undefined : record.patient;
        if (record === undefined || 'code' in record || patient === undefined) {
          const code = record !== undefined && 'code' in record ? record.code : 'SUBJECT_UNKNOWN';
          yield withoutLabel(row, code);
        } else yield { ...row, label: label(patient, record.rows, row.asOf) };
      }
    }
  };
}

/** A row that cannot be labelled has no inputs either: whoever trains on it would take it for one that is whole. */
function withoutLabel({ subject, asOf, encounter }: RowFacts, code: string): RowFacts {
  return {
    subject,
    ...(asOf === undefined ? {} : { asOf }),
    ...(encounter === undefined ? {} : { encounter }),
    error: { code, message: 'the record could not be read for the label' },
  };
}
