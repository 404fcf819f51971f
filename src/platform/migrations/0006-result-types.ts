import type { Migration } from '../migrate.ts';

/** A result is a RiskAssessment or an Observation: whoever keeps its id keeps its type. What is there is a RiskAssessment. */
export const resultTypes: Migration = {
  id: '0006-result-types',
  sql: `
alter table outcomes add column resource_type text collate "C" check (resource_type in ('RiskAssessment', 'Observation'));
update outcomes set resource_type = 'RiskAssessment' where resource_id is not null;
alter table outcomes add check ((resource_type is null) = (resource_id is null));

alter table deliveries add column resource_type text collate "C" not null default 'RiskAssessment'
  check (resource_type in ('RiskAssessment', 'Observation'));
alter table deliveries alter column resource_type drop default;
comment on column deliveries.resource_id is 'Logical id of the result in the own store.';

alter table prediction_log add column result_type text collate "C" default 'RiskAssessment';
alter table prediction_log alter column result_type drop default;
comment on column prediction_log.result_type is 'What a result of the model is: RiskAssessment or Observation.';
comment on column prediction_log.written is 'Logical id of the result in the own store.';
comment on column prediction_log.scores is 'By outcome id, unrounded: probability 0..1, points, value in the unit or number of the class.';

alter table run_members add column resource_type text collate "C";
update run_members set resource_type = 'RiskAssessment' where resource_id is not null;
alter table run_members add check ((resource_type is null) = (resource_id is null));
comment on column run_members.score is 'Of the model''s first outcome that has one: probability 0..1, points, value or number of the class.';
`,
};
