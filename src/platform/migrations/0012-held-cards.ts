import type { Migration } from '../migrate.ts';

/**
 * What a service last said of a patient to a user, so that no replica says it twice within the time that its model declares;
 * and every card that was held back. Neither holds more of a person than the prediction log.
 */
export const heldCards: Migration = {
  id: '0012-held-cards',
  sql: `
create table told_bands (
  tenant text collate "C" not null,
  service text collate "C" not null,
  user_ref text collate "C" not null,
  fhir_base text collate "C" not null,
  subject_id text collate "C" not null,
  encounter_id text collate "C" not null,
  focus text collate "C" not null,
  model_digest text collate "C" not null,
  band text collate "C" not null,
  card text collate "C" not null,
  told_at timestamptz not null,
  primary key (tenant, service, fhir_base, subject_id, user_ref, encounter_id, focus)
);
comment on table told_bands is 'One row for each user, patient and encounter that a service with repeats spoke about.';
comment on column told_bands.encounter_id is 'Empty where the call names none.';
comment on column told_bands.focus is 'What the call is about beside the patient: Appointment/3; empty where nothing is.';
comment on column told_bands.card is 'UUID of the card that said it.';
create index told_bands_by_time on told_bands (tenant, told_at);

create table held_cards (
  tenant text collate "C" not null,
  service text collate "C" not null,
  card text collate "C" not null,
  model_id text collate "C" not null,
  model_version text collate "C" not null,
  held_at timestamptz not null,
  primary key (tenant, service, card)
);
comment on table held_cards is 'Cards that were not shown because the same had been; by card the prediction is in prediction_log.';
create index held_cards_by_time on held_cards (tenant, held_at);
`,
};
