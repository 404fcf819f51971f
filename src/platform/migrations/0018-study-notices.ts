import type { Migration } from '../migrate.ts';

/** Imaging studies that a FHIR server told of, and what has become of them; and up to when each subscription was checked. */
export const studyNotices: Migration = {
  id: '0018-study-notices',
  sql: `
create table study_notices (
  tenant text collate "C" not null,
  fhir_base text collate "C" not null,
  model_id text collate "C" not null,
  study_id text collate "C" not null,
  subscription text collate "C" not null,
  subject_id text collate "C",
  notices integer not null default 1,
  first_at timestamptz not null,
  due_at timestamptz,
  taken_until timestamptz,
  as_of timestamptz,
  attempts integer not null default 0,
  waits integer not null default 0,
  told text collate "C",
  seen text collate "C",
  changed_at timestamptz not null,
  primary key (tenant, fhir_base, model_id, study_id)
);
comment on table study_notices is 'One row for each study and model: any number of notices about it are one prediction.';
comment on column study_notices.subject_id is 'Null until the study was read.';
comment on column study_notices.notices is 'How often it was told of: who works on it sees whether it was told of meanwhile.';
comment on column study_notices.first_at is 'When the first notice since the last prediction came.';
comment on column study_notices.due_at is 'Null where nothing is to be done.';
comment on column study_notices.taken_until is 'Who works on it has it until then.';
comment on column study_notices.as_of is 'Of the prediction under way: one that is begun again after a crash is the same.';
comment on column study_notices.waits is 'How often it was found incomplete since the last notice.';
comment on column study_notices.told is 'Version of the study that a search found; null where a notice told of it.';
comment on column study_notices.seen is 'Version of the study that was predicted about.';
create index study_notices_due on study_notices (tenant, fhir_base, due_at) where due_at is not null;
create index study_notices_by_subject on study_notices (tenant, fhir_base, subject_id) where subject_id is not null;

create table study_checks (
  tenant text collate "C" not null,
  fhir_base text collate "C" not null,
  subscription text collate "C" not null,
  checked_to timestamptz not null,
  due_at timestamptz not null,
  primary key (tenant, fhir_base, subscription)
);
comment on column study_checks.checked_to is 'What changed before was asked for already.';
`,
};
