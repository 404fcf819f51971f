import type { Migration } from '../migrate.ts';

/**
 * Operations that were asked for with `Prefer: respond-async`. What is queued of them lies in the schema `pgboss`, as for runs.
 * The id of a job is with its caller only: its row is found by a hash, and its answer is sealed with a key made of the id.
 */
export const operationJobs: Migration = {
  id: '0011-operation-jobs',
  sql: `
create table operation_jobs (
  key text collate "C" primary key,
  tenant text collate "C" not null,
  fhir_base text collate "C" not null,
  owner text collate "C" not null,
  subject_id text collate "C" not null,
  request text,
  seal_key bytea,
  answer bytea,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  polled_at timestamptz,
  expires_at timestamptz not null,
  check ((finished_at is null) = (request is not null)),
  check ((finished_at is null) = (seal_key is not null)),
  check ((finished_at is null) = (answer is null))
);
comment on column operation_jobs.key is 'SHA-256 of the id, in hex: the id itself is not kept.';
comment on column operation_jobs.owner is 'Key of the principal that asked: nobody else is answered about the job.';
comment on column operation_jobs.request is 'What was asked, with the resources of the caller; null once it is answered.';
comment on column operation_jobs.seal_key is 'The key of the answer, until there is one; afterwards it is made of the id, which the caller has.';
comment on column operation_jobs.answer is 'The answer under AES-256-GCM: nonce, tag, text.';
create index operation_jobs_waiting on operation_jobs (tenant, fhir_base, owner) where finished_at is null;
create index operation_jobs_by_expiry on operation_jobs (tenant, expires_at);
`,
};
