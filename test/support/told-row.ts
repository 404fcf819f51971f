import type { ModelInputs } from '../../src/features/feature-vector.ts';
import { inputRow } from '../../src/inference/score.ts';
import { inputColumns } from '../../src/model-catalog/model-tensors.ts';
import type { PredictableModel } from '../../src/prediction/prediction-parts.ts';
import type { MatrixRow } from './make-matrix.ts';

/** A number as its 64 bits, everything else as its text: rows that say the same are the same, bit for bit. */
export function bitsOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'number') return String(value);
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setFloat64(0, value);
  return bytes.getBigUint64(0).toString(16);
}

export type ToldRow = Readonly<Record<string, string>>;

/** What a row of the training matrix must say of some inputs, by column, told here by itself. */
export function toldBy({ manifest }: PredictableModel, { features, verdicts }: ModelInputs): ToldRow {
  const row: Record<string, string> = {};
  for (const [name, value] of features) {
    row[name] = bitsOf('value' in value ? value.value : undefined);
    row[`${name}.state`] = value.state;
    row[`${name}.reason`] = 'because' in value ? value.because : '';
    row[`${name}.at`] = 'at' in value ? (value.at ?? '') : '';
  }
  for (const [id, { state }] of verdicts) row[`${id}.verdict`] = state;
  const columns = inputColumns(manifest);
  const mayScore = [...verdicts.values()].some(({ state }) => state === 'score');
  const x = mayScore ? inputRow(columns, features) : [];
  for (const [index, { feature }] of columns.entries()) row[`x.${index}.${feature}`] = bitsOf(x[index]);
  return row;
}

/** The sources of inputs, relative to the server at `base`. */
export function sourcesOf({ features }: ModelInputs, base = ''): ToldRow {
  return Object.fromEntries(
    [...features].map(([name, { sources }]) => [
      `${name}.source`,
      sources
        .map(({ reference = '' }) =>
          base !== '' && reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference,
        )
        .join(' '),
    ]),
  );
}

/** The same columns of a row of CSV: numbers are parsed, so that what counts is the double and not how it is written. */
export function toldByCsv({ compiled }: PredictableModel, row: MatrixRow): ToldRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, text]) => {
      const isNumber = name.startsWith('x.') || compiled.features.get(name)?.value.type === 'number';
      return [name, isNumber && text !== '' ? bitsOf(Number(text)) : text];
    }),
  );
}

export function toldByParquet(object: Readonly<Record<string, unknown>>): ToldRow {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, bitsOf(value)]));
}
