import type { Migration } from '../migrate.ts';

/** What is to be delivered to the sinks, and their receipts. */
export const deliveries: Migration = {
  id: '0004-deliveries',
  sql: `
select 1;
`,
};
