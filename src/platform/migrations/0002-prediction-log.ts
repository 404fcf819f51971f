import type { Migration } from '../migrate.ts';

/**
 * Every prediction, one row each: what is served as AuditEvent, and what feedback and reports join on. It holds no name,
 * no birth date and no value of a feature: of the inputs it keeps the versions of the resources and a hash.
 */
export const predictionLog: Migration = {
  id: '0002-prediction-log',
  sql: `
create table prediction_log (
  id uuid not null,
  tenant text collate "C" not null,
  recorded timestamptz not null,
  entrance text collate "C" not null,
  request_id text collate "C" not null,
  user_ref text collate "C",
  client text collate "C",
  service text collate "C",
  card text collate "C",
  run text collate "C",
  fhir_base text collate "C",
  subject_id text collate "C",
  encounter_id text collate "C",
  model_id text collate "C",
  model_version text collate "C",
  model_digest text collate "C",
  as_of timestamptz,
  result text collate "C",
  state text collate "C" not null check (state in ('scored', 'abstained', 'failed')),
  error_code text collate "C",
  what_if boolean not null,
  scores json,
  verdicts json,
  input_references json,
  input_hash text collate "C",
  missing json,
  assumed json,
  written text collate "C",
  gather_ms double precision,
  features_ms double precision,
  infer_ms double precision,
  explain_ms double precision,
  build_ms double precision,
  write_ms double precision,
  total_ms double precision not null,
  primary key (tenant, id),
  check ((state = 'failed') = (error_code is not null)),
  check ((state = 'failed') = (result is null))
);
comment on column prediction_log.recorded is 'When the answer was ready.';
comment on column prediction_log.user_ref is 'The person who asked: Practitioner/17.';
comment on column prediction_log.card is 'UUID of the CDS Hooks card that shows the prediction.';
comment on column prediction_log.run is 'Id of the cohort run that the prediction belongs to.';
comment on column prediction_log.result is 'Identifier of the result; also the key in outcomes.';
comment on column prediction_log.scores is 'Probability 0..1 by outcome id, unrounded.';
comment on column prediction_log.verdicts is 'By outcome id, for outcomes without a score: {state, reasons}; the reasons are codes.';
comment on column prediction_log.input_references is 'Versions that were read: ["Observation/5/_history/1"].';
comment on column prediction_log.input_hash is 'SHA-256 (hex) of the model inputs: name, state and value of every feature.';
comment on column prediction_log.missing is 'Why, by name of the missing feature.';
comment on column prediction_log.assumed is 'Names of the features that were assumed absent.';
comment on column prediction_log.written is 'Logical id of the RiskAssessment in the own store.';
create index prediction_log_by_time on prediction_log (tenant, recorded desc, id);
create index prediction_log_by_subject on prediction_log (tenant, subject_id, recorded desc, id) where subject_id is not null;
create index prediction_log_by_card on prediction_log (tenant, card) where card is not null;
create index prediction_log_by_result on prediction_log (tenant, result) where result is not null;

create function prediction_log_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'The prediction log is append-only: % is refused.', tg_op;
end
$$;
create trigger prediction_log_append_only before update or delete or truncate on prediction_log
  for each statement execute function prediction_log_is_append_only();
`,
};
