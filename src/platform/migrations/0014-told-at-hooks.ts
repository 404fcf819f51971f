import type { Migration } from '../migrate.ts';

/** What was said at one hook, or of one outcome, holds back no card of another one. */
export const toldAtHooks: Migration = {
  id: '0014-told-at-hooks',
  sql: `
alter table told_bands add column hook text collate "C" not null default '', add column outcome text collate "C" not null default '';
alter table told_bands drop constraint told_bands_pkey;
alter table told_bands add primary key (tenant, service, hook, outcome, fhir_base, subject_id, user_ref, encounter_id, focus);
comment on column told_bands.hook is 'At which the service was called.';
comment on column told_bands.outcome is 'Id of the outcome that the card is about.';
comment on column told_bands.band is 'What was said: how it is shown and the code of the band, or why there is no score.';
`,
};
