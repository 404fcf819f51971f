import type { Migration } from '../migrate.ts';

/** A result may be a DiagnosticReport too. */
export const reports: Migration = {
  id: '0016-reports',
  sql: `
alter table outcomes drop constraint outcomes_resource_type_check;
alter table outcomes add check (resource_type in ('RiskAssessment', 'Observation', 'DiagnosticReport'));
alter table deliveries drop constraint deliveries_resource_type_check;
alter table deliveries add check (resource_type in ('RiskAssessment', 'Observation', 'DiagnosticReport'));
comment on column prediction_log.result_type is 'What a result of the model is: RiskAssessment, Observation or DiagnosticReport.';
`,
};
