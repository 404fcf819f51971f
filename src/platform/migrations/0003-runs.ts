import type { Migration } from '../migrate.ts';

/**
 * Cohort runs, their members and the firings of schedules. What is queued of them lies in a schema of its own, `pgboss`,
 * which the queue makes for itself when the first run is asked for.
 */
export const runs: Migration = {
  id: '0003-runs',
  sql: `
create table runs (
  id uuid primary key,
  tenant text collate "C" not null,
  fhir_base text collate "C" not null,
  model_id text collate "C" not null,
  model_version text collate "C" not null,
  model_digest text collate "C" not null,
  cohort json not null,
  as_of timestamptz not null,
  write_back boolean not null,
  explain boolean not null,
  chunk_size integer not null check (chunk_size >= 1),
  state text collate "C" not null
    check (state in ('expanding', 'running', 'cancelling', 'cancelled', 'finished', 'failed')),
  reason_code text collate "C",
  reason text,
  requester text collate "C",
  schedule text collate "C",
  idempotency_key text collate "C",
  request_hash text collate "C" not null,
  members integer,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  worked_from timestamptz,
  done_before integer,
  check ((reason_code is not null) = (state = 'failed'))
);
comment on column runs.fhir_base is 'Names the server whose patients these are; the run is worked on only where that server is the record source.';
comment on column runs.members is 'Null until the cohort has been read to its end.';
comment on column runs.worked_from is 'When work last began, at first or after a resume; done_before members were done by then.';
create unique index runs_by_key on runs (tenant, fhir_base, idempotency_key) where idempotency_key is not null;
create index runs_newest on runs (tenant, created_at, id);
create index runs_unfinished on runs (tenant, fhir_base) where state in ('expanding', 'running', 'cancelling');

create table run_members (
  run uuid not null references runs (id) on delete cascade,
  ordinal integer not null check (ordinal >= 1),
  subject_id text collate "C" not null,
  state text collate "C" not null check (state in ('pending', 'scored', 'abstained', 'failed')),
  outcome text collate "C",
  score double precision,
  band text collate "C",
  reasons text[] collate "C" not null default '{}',
  error_code text collate "C",
  error text,
  result text collate "C",
  resource_id text collate "C",
  primary key (run, ordinal),
  unique (run, subject_id),
  check ((score is not null) = (state = 'scored')),
  check ((error_code is not null) = (state = 'failed'))
);
comment on column run_members.score is 'Probability 0..1 of the outcome; the model''s first outcome that has one.';
create index run_members_pending on run_members (run, ordinal) where state = 'pending';
create index run_members_by_score on run_members (run, score, ordinal) where state = 'scored';

create table run_tallies (
  run uuid not null references runs (id) on delete cascade,
  kind text collate "C" not null check (kind in ('scored', 'abstained', 'failed', 'written', 'reason', 'error')),
  code text collate "C" not null default '',
  members integer not null,
  primary key (run, kind, code)
);
comment on table run_tallies is 'Counts of run_members, kept with them in the same statement.';

create table run_schedule_firings (
  tenant text collate "C" not null,
  fhir_base text collate "C" not null,
  schedule text collate "C" not null,
  due_at timestamptz not null,
  run uuid,
  primary key (tenant, fhir_base, schedule, due_at)
);

create table run_schedule_looks (
  tenant text collate "C" not null,
  fhir_base text collate "C" not null,
  schedule text collate "C" not null,
  looked_at timestamptz not null,
  primary key (tenant, fhir_base, schedule)
);
`,
};
