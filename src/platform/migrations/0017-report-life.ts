import type { Migration } from '../migrate.ts';

/** Later images of a study amend its report: which version of it says which prediction. Deliveries of a report are of it, whatever it says. */
export const reportLife: Migration = {
  id: '0017-report-life',
  sql: `
alter table outcomes add column resource_version integer check (resource_version >= 1), add column report_inputs text collate "C";
update outcomes set resource_version = 1 where resource_type = 'DiagnosticReport';
create index outcomes_by_report on outcomes (tenant, resource_id) where resource_type = 'DiagnosticReport';
comment on column outcomes.resource_version is 'Of a report: which version of the resource says this prediction; null for every other result, which has one.';
comment on column outcomes.report_inputs is 'Of a model with reports: SHA-256 of the inputs and the model without as-of and encounter. Where it is the same, the report says it already.';
comment on column deliveries.identifier is 'Identifier of the result, as in outcomes; of a report its own one, which no amendment changes.';
`,
};
