import type { Migration } from '../migrate.ts';

/** Some operations are asked for by anybody who needs what comes of them: of one thing one job is under way at a time. */
export const jobsAskedOnce: Migration = {
  id: '0022-jobs-asked-once',
  sql: `
alter table operation_jobs add column once text collate "C";
comment on column operation_jobs.once is 'SHA-256 of what the job makes, where one such job is enough whoever asks; null where each call has its own.';
create unique index operation_jobs_once on operation_jobs (tenant, fhir_base, once)
  where once is not null and finished_at is null;
`,
};
