import type { Migration } from '../migrate.ts';

/** CDS Hooks cards that were shown and what came back about them. */
export const cdsFeedback: Migration = {
  id: '0005-cds-feedback',
  sql: `
select 1;
`,
};
