import type { Migration } from '../migrate.ts';

/** Which tokens of CDS clients were let in, so that none is let in again, by whichever server on this database it is tried. */
export const cdsReplay: Migration = {
  id: '0008-cds-replay',
  sql: `
create table cds_replay (
  tenant text collate "C" not null,
  token bytea not null,
  kept_until timestamptz not null,
  primary key (tenant, token)
);
comment on column cds_replay.token is 'SHA-256 of the issuer, tenant and jti of the token.';
comment on column cds_replay.kept_until is 'When nobody would take the token any more, clock skew included: the row is removed then.';
create index cds_replay_by_time on cds_replay (kept_until);
`,
};
