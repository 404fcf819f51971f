import type { Migration } from '../migrate.ts';

/** The input values and contributions of predictions, sealed with a key that the database does not hold. */
export const predictionValues: Migration = {
  id: '0010-prediction-values',
  sql: `
create table prediction_values (
  tenant text collate "C" not null,
  prediction uuid not null,
  recorded timestamptz not null,
  key text collate "C" not null,
  nonce bytea not null check (length(nonce) = 12),
  sealed bytea not null,
  primary key (tenant, prediction)
);
comment on column prediction_values.prediction is 'Id of the row in prediction_log.';
comment on column prediction_values.key is 'Id of the key in VALUES_KEY_FILE.';
comment on column prediction_values.sealed is 'AES-256-GCM with tenant/prediction as associated data; the tag of 16 bytes stands behind.';
create index prediction_values_by_time on prediction_values (tenant, recorded);
`,
};
