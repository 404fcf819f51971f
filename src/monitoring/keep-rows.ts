import type { Sql } from '../platform/database.ts';
import { storableJson } from '../platform/storable-text.ts';
import type { PredictionRow } from './prediction-row.ts';
import type { ValuesRow } from './prediction-values.ts';

/** What is kept of one prediction. */
export interface KeptPrediction {
  readonly row: PredictionRow;
  /** Absent where there is no key to seal them with, or nothing came of the prediction. */
  readonly values?: ValuesRow;
}

/** One statement whatever the number: the rows travel as JSON, whose keys are the columns; values with theirs, or neither. */
export async function keepRows(sql: Sql, kept: readonly KeptPrediction[]): Promise<void> {
  const rows = kept.map(({ row }) => row);
  const columns = Object.keys(rows[0] ?? {}).join(', ');
  const insert = `insert into prediction_log (${columns}) select ${columns} from json_populate_recordset(null::prediction_log, $1::json)`;
  const values = kept.flatMap((one) => one.values ?? []);
  if (values.length === 0) {
    await sql.query(insert, [storableJson(rows)]);
    return;
  }
  await sql.query(
    `with logged as (${insert})
     insert into prediction_values (tenant, prediction, recorded, key, nonce, sealed)
     select tenant, prediction, recorded, key, decode(nonce, 'base64'), decode(sealed, 'base64')
     from json_to_recordset($2::json)
       as given (tenant text, prediction uuid, recorded timestamptz, key text, nonce text, sealed text)`,
    [storableJson(rows), JSON.stringify(values)],
  );
}
