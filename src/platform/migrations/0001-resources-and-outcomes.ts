import type { Migration } from '../migrate.ts';

/**
 * The store of FHIR resources, the outcomes of predictions and the settings kept beside them.
 *
 * Keys are compared bytewise (`collate "C"`), so that order and pages are the same on every server whatever
 * its locale. GIN indexes have `fastupdate` off: an embedded database has no background vacuum, and a
 * search would otherwise read the pending list each time.
 */
export const resourcesAndOutcomes: Migration = {
  id: '0001-resources-and-outcomes',
  sql: `
create table resources (
  tenant text collate "C" not null,
  type text collate "C" not null,
  id text collate "C" not null,
  version integer not null check (version >= 1),
  deleted boolean not null default false,
  last_updated timestamptz not null,
  patients text[] collate "C" not null default '{}',
  encounter text collate "C",
  date_start timestamptz,
  date_end timestamptz,
  status text collate "C",
  codes text[] collate "C" not null default '{}',
  categories text[] collate "C" not null default '{}',
  identifiers text[] collate "C" not null default '{}',
  body json,
  primary key (tenant, type, id),
  check (deleted or body is not null)
);
comment on column resources.patients is 'Every subject the resource is about: Patient/17, or an absolute URL where it lives elsewhere; the members of a Group.';
comment on column resources.codes is 'Tokens: system|code, and |code where there is no system.';
comment on column resources.body is 'The resource as served; null once deleted.';
create index resources_by_patient on resources using gin (patients) with (fastupdate = off);
create index resources_by_code on resources using gin (codes) with (fastupdate = off);
create index resources_by_identifier on resources using gin (identifiers) with (fastupdate = off);
create index resources_by_last_updated on resources (tenant, type, last_updated, id);
create index resources_by_date on resources (tenant, type, date_start, id);

create table resource_versions (
  tenant text collate "C" not null,
  type text collate "C" not null,
  id text collate "C" not null,
  version integer not null check (version >= 1),
  deleted boolean not null default false,
  last_updated timestamptz not null,
  body json,
  primary key (tenant, type, id, version),
  check (deleted or body is not null)
);

create table outcomes (
  identifier text collate "C" not null,
  tenant text collate "C" not null,
  fhir_base text collate "C" not null,
  subject_id text collate "C" not null,
  encounter_id text collate "C" not null default '',
  model_id text collate "C" not null,
  model_version text collate "C" not null,
  model_digest text collate "C" not null,
  as_of timestamptz not null,
  computed_at timestamptz not null,
  valid_until timestamptz,
  state text collate "C" not null check (state in ('scored', 'abstained')),
  what_if boolean not null,
  verdicts json not null,
  scores json,
  resource_id text collate "C",
  superseded_by text collate "C",
  superseded_at timestamptz,
  primary key (tenant, identifier),
  check ((superseded_by is null) = (superseded_at is null)),
  check (state = 'scored' or scores is null)
);
create index outcomes_by_subject on outcomes (tenant, fhir_base, subject_id, model_id, encounter_id, as_of desc);

create table settings_kv (
  tenant text collate "C" not null,
  key text collate "C" not null,
  value json not null,
  primary key (tenant, key)
);
`,
};
