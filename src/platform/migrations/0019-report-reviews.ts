import type { Migration } from '../migrate.ts';

/** What people found of reports of models: one row for each version that a review made. */
export const reportReviews: Migration = {
  id: '0019-report-reviews',
  sql: `
create table report_reviews (
  tenant text collate "C" not null,
  report_id text collate "C" not null,
  version integer not null check (version > read_version),
  read_version integer not null check (read_version >= 1),
  verdict text collate "C" not null check (verdict in ('confirmed', 'rejected')),
  reviewer text collate "C" not null,
  reviewed_at timestamptz not null,
  user_comment text collate "C",
  result text collate "C" not null,
  fhir_base text collate "C" not null,
  subject_id text collate "C" not null,
  model_id text collate "C" not null,
  model_version text collate "C" not null,
  model_digest text collate "C" not null,
  primary key (tenant, report_id, version)
);
comment on table report_reviews is 'Who confirmed or rejected which report of a model; a report that was amended since is unread again.';
comment on column report_reviews.version is 'Of the DiagnosticReport: the version that the review made.';
comment on column report_reviews.read_version is 'The version that was read.';
comment on column report_reviews.reviewer is 'Practitioner/17 or PractitionerRole/17 of this server, or the URL of one elsewhere.';
comment on column report_reviews.user_comment is 'Sealed, as runs.cohort is: it may name the patient. None is kept without a key.';
comment on column report_reviews.result is 'Identifier of the prediction that was read, as in outcomes.';
create index report_reviews_by_time on report_reviews (tenant, reviewed_at);
create index report_reviews_by_subject on report_reviews (tenant, fhir_base, subject_id);
`,
};
