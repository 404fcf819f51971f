import type { Migration } from '../migrate.ts';

/** What clinicians answered to CDS Hooks cards: one row for each answer, however often it is reported. */
export const cdsFeedback: Migration = {
  id: '0005-cds-feedback',
  sql: `
create table cds_feedback (
  tenant text collate "C" not null,
  service text collate "C" not null,
  card text collate "C" not null,
  outcome text collate "C" not null check (outcome in ('accepted', 'overridden')),
  outcome_at timestamptz not null,
  accepted_suggestions json not null,
  reason_system text collate "C",
  reason_code text collate "C",
  reason_display text,
  user_comment text,
  received_at timestamptz not null,
  primary key (tenant, service, card, outcome, outcome_at),
  check ((reason_system is null) = (reason_code is null))
);
comment on table cds_feedback is 'Joined to prediction_log by tenant, service and card; a card that is not there was accepted too.';
comment on column cds_feedback.card is 'UUID of the card, in lower case.';
comment on column cds_feedback.user_comment is 'As the clinician wrote it: it may name the patient.';
comment on column cds_feedback.received_at is 'When it was reported last.';
create index cds_feedback_by_time on cds_feedback (tenant, outcome_at);
`,
};
