import type { Migration } from '../migrate.ts';

/** What a prediction is about beside its subject, and whose an earlier one is when it is shown again. */
export const focusAndReuse: Migration = {
  id: '0013-focus-and-reuse',
  sql: `
alter table outcomes add column focus text collate "C" not null default '';
comment on column outcomes.focus is 'The order or appointment that the prediction is about: ServiceRequest/17, or ServiceRequest#<SHA-256 of its content> for a draft; empty where it is about none.';
alter table prediction_log add column focus text collate "C", add column caller_key text collate "C";
comment on column prediction_log.focus is 'See outcomes.focus.';
comment on column prediction_log.caller_key is 'Which client of which issuer asked: an earlier result is shown again to nobody else.';
`,
};
