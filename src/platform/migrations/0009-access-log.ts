import type { Migration } from '../migrate.ts';

/**
 * Who read, searched, wrote, or was refused what: with the prediction log the account of everything that was done here.
 *
 * Rows of both logs are added, and never changed. They may be removed by the rule of retention alone, which says so in its
 * transaction (`fhirsight.retention`), and by nobody before six months have passed (EU-2), whatever a setting says.
 */
export const accessLog: Migration = {
  id: '0009-access-log',
  sql: `
create table access_log (
  id uuid not null,
  tenant text collate "C" not null,
  recorded timestamptz not null,
  request_id text collate "C" not null,
  way text collate "C" not null check (way in ('http', 'command-line')),
  client text collate "C" not null,
  client_key text collate "C" not null,
  user_ref text collate "C",
  proved_by text collate "C" not null,
  action text collate "C" not null check (action in ('C', 'R', 'U', 'D', 'E')),
  interaction text collate "C",
  route text collate "C" not null,
  fhir_base text collate "C" not null,
  resource_type text collate "C",
  resource_id text collate "C",
  subject_id text collate "C",
  query text collate "C",
  status integer not null,
  error_code text collate "C",
  total_ms double precision not null,
  xact xid8 not null default pg_current_xact_id(),
  primary key (tenant, id)
);
comment on column access_log.recorded is 'When the answer had gone out.';
comment on column access_log.client_key is 'One for each client of each issuer.';
comment on column access_log.action is 'Create, Read, Update, Delete, or Execute: a search, an operation, anything else.';
comment on column access_log.interaction is 'Of FHIR REST; null for anything else.';
comment on column access_log.route is 'The pattern of the route: no id, no name.';
comment on column access_log.fhir_base is 'Names the server whose resources these are.';
comment on column access_log.resource_id is 'Only of what is there, or was refused to a caller who is known: an id that a caller has made up may be anything.';
comment on column access_log.query is 'Type and names of the search parameters; values only of patient, subject, _count, _sort.';
comment on column access_log.status is 'Of HTTP.';
comment on column access_log.xact is 'The transaction that added the row: whoever follows the log reads by it.';
create index access_log_by_time on access_log (tenant, recorded desc, id);
create index access_log_by_subject on access_log (tenant, subject_id, recorded desc, id) where subject_id is not null;
create index access_log_by_xact on access_log (xact, id);

alter table prediction_log add column xact xid8;
alter table prediction_log alter column xact set default pg_current_xact_id();
comment on column prediction_log.xact is 'The transaction that added the row; null for rows of earlier releases.';
create index prediction_log_by_xact on prediction_log (xact, id) where xact is not null;

create function refuse_change_of_log() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % is refused.', tg_table_name, tg_op;
end
$$;
create function refuse_early_removal_from_log() returns trigger language plpgsql as $$
begin
  if current_setting('fhirsight.retention', true) is distinct from 'on' or old.recorded > now() - interval '6 months' then
    raise exception '% is append-only: DELETE is refused.', tg_table_name;
  end if;
  return old;
end
$$;
drop trigger prediction_log_append_only on prediction_log;
drop function prediction_log_is_append_only();
create trigger append_only before update or truncate on prediction_log
  for each statement execute function refuse_change_of_log();
create trigger kept_for_six_months before delete on prediction_log
  for each row execute function refuse_early_removal_from_log();
create trigger append_only before update or truncate on access_log
  for each statement execute function refuse_change_of_log();
create trigger kept_for_six_months before delete on access_log
  for each row execute function refuse_early_removal_from_log();
`,
};
