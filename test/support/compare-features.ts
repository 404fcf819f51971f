import { booleanColumns, observationColumns } from './every-column-model.ts';
import type { ReadInput } from './predict-call.ts';

/** One row of the cases. */
export type Row = Readonly<Record<string, string>>;

/** The states of the cases that give no value, in the words of fhirsight. */
export const missingOf: Readonly<Record<string, string>> = { missing: 'not-found', conflict: 'conflict' };

/** The inputs of an answer, or of an extraction, against one row: which cells differ, out of how many compared. */
export interface Comparison {
  cells: number;
  readonly differences: string[];
}

/** Compares the given columns of one row of `expected_features.csv`; numbers within 1e-9, times as instants. */
export function compareFeatures(
  into: Comparison,
  row: Row,
  inputs: ReadonlyMap<string, ReadInput>,
  columns: readonly string[],
): void {
  const cell = (column: string, found: unknown, wanted: unknown, same = found === wanted): void => {
    into.cells += 1;
    if (!same) into.differences.push(`${row.patient_id} ${column}: ${String(found)}, expected ${String(wanted)}`);
  };
  for (const column of columns) {
    const measured = observationColumns[column];
    const input = inputs.get(measured ?? booleanColumns[column] ?? column);
    if (measured !== undefined) {
      const state = row[`${column}_state`] ?? '';
      cell(`${column}_state`, input?.reason ?? input?.state, state === 'ok' ? 'observed' : missingOf[state]);
      const value = row[column] ?? '';
      const found = typeof input?.value === 'boolean' ? Number(input.value) : input?.value;
      cell(
        column,
        found,
        value === '' ? undefined : Number(value),
        value === '' ? found === undefined : Math.abs(Number(found) - Number(value)) <= 1e-9,
      );
      cell(`${column}_unit`, input?.unit ?? '', row[`${column}_unit`]);
      const at = row[`${column}_at`] ?? '';
      cell(
        `${column}_at`,
        input?.at,
        at,
        at === '' ? input?.at === undefined : Date.parse(input?.at ?? '') === Date.parse(at),
      );
    } else if (booleanColumns[column] !== undefined) {
      const state = input?.value === true ? 'observed' : 'assumed-absent';
      cell(column, `${input?.state} ${input?.value}`, `${state} ${row[column] === '1'}`);
    } else if (column === 'age') cell(column, input?.value, Number(row.age));
    else if (column === 'sex') cell(column, input?.value, row.sex);
    else cell(column, input?.value, row.race?.toLowerCase().replaceAll(' ', '-'));
  }
}
