import type { Migration } from '../migrate.ts';

/** Cohort runs, their members and the firings of schedules. */
export const runs: Migration = {
  id: '0003-runs',
  sql: `
select 1;
`,
};
