import type { Migration } from '../migrate.ts';

/**
 * The life of model versions. The records are the only truth: what is default, shadow or switched off is read off them in
 * their order, so that no state is without its record.
 */
export const versionRecords: Migration = {
  id: '0007-version-records',
  sql: `
create table version_records (
  tenant text collate "C" not null,
  number bigint generated always as identity,
  recorded timestamptz not null,
  action text collate "C" not null
    check (action in ('begin', 'promote', 'roll-back', 'disable', 'enable', 'shadow-on', 'shadow-off')),
  model text collate "C" not null,
  version text collate "C",
  digest text collate "C",
  service text collate "C",
  from_version text collate "C",
  from_digest text collate "C",
  requester text not null,
  way text collate "C" not null check (way in ('start', 'command-line', 'http')),
  because text not null,
  primary key (tenant, number),
  check ((from_version is null) = (from_digest is null)),
  check (action not in ('begin', 'promote', 'roll-back', 'shadow-on') or (version is not null and digest is not null)),
  check (service is null or (version is null and action in ('disable', 'enable')))
);
comment on table version_records is 'Who made which version of a model its default, a shadow or silent. Rows are added, and never changed or removed.';
comment on column version_records.number is 'Rows of a tenant take effect in this order.';
comment on column version_records.action is 'begin: the first default of a model, taken at the first start.';
comment on column version_records.version is 'The version that the action is about; null where it is about the model or a service.';
comment on column version_records.digest is 'Of that version, as it was loaded when the row was added.';
comment on column version_records.service is 'Id of a CDS Hooks service of the model.';
comment on column version_records.from_version is 'The default before.';
comment on column version_records.requester is 'Who asked, as the caller says.';
comment on column version_records.because is 'In the words of who asked; of no patient.';

create function refuse_change_of_version_records() returns trigger language plpgsql as $$
begin
  raise exception 'version_records is append-only';
end
$$;
create trigger append_only before update or delete or truncate on version_records
  for each statement execute function refuse_change_of_version_records();

alter table prediction_log add column shadow boolean not null default false;
comment on column prediction_log.shadow is 'Scored beside the default on the same request, and shown to nobody.';
`,
};
