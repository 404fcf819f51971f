import type { Migration } from '../migrate.ts';

/** A run may be over imaging studies: a member is a subject and the study that is predicted about, so that one subject may be several members. */
export const runsOverStudies: Migration = {
  id: '0021-runs-over-studies',
  sql: `
alter table runs add column changed_since timestamptz, add column follows uuid;
comment on column runs.changed_since is 'Of a cohort with since: what changed then or later is in it. Fixed when the run was made.';
comment on column runs.follows is 'The finished run of the same schedule whose unfinished members this one takes again.';
alter table run_members add column focus text collate "C" not null default '',
  add column waits integer not null default 0 check (waits >= 0);
alter table run_members drop constraint run_members_run_subject_id_key;
alter table run_members add unique (run, subject_id, focus);
comment on column run_members.focus is 'ImagingStudy/id of the study that is predicted about; empty where the member is the subject alone.';
comment on column run_members.waits is 'How many runs of the schedule have taken it from the one before, since it was last found.';
`,
};
