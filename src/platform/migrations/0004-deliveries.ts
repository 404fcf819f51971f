import type { Migration } from '../migrate.ts';

/**
 * What is to be delivered to the sinks, and their receipts: one row per sink and result, kept for ever as the memory
 * of what a sink holds. `position` is the order in which results are wanted; the index holds only what is still to do.
 */
export const deliveries: Migration = {
  id: '0004-deliveries',
  sql: `
create sequence deliveries_position;

create table deliveries (
  tenant text collate "C" not null,
  sink text collate "C" not null,
  identifier text collate "C" not null,
  resource_id text collate "C" not null,
  state text collate "C" not null default 'pending' check (state in ('pending', 'sending', 'delivered', 'dead')),
  position bigint not null default nextval('deliveries_position'),
  wanted integer not null default 1,
  claimed integer,
  attempts integer not null default 0,
  refused_at timestamptz,
  next_attempt_at timestamptz,
  lease_until timestamptz,
  batch text collate "C",
  sender text collate "C",
  alone boolean not null default false,
  unsure boolean not null default false,
  receipt json,
  last_error json,
  attempted_at timestamptz,
  delivered_at timestamptz,
  primary key (tenant, sink, identifier),
  check ((state = 'sending') = (lease_until is not null))
);
comment on column deliveries.identifier is 'Identifier of the result, as in outcomes.';
comment on column deliveries.resource_id is 'Logical id of the RiskAssessment in the own store.';
comment on column deliveries.wanted is 'Raised each time the result changes; delivered means that the sink has this one.';
comment on column deliveries.claimed is 'The value of wanted that is, or was last, sent.';
comment on column deliveries.refused_at is 'When it was refused by itself for the first time, for what seemed a fault of the sink; null: it was not.';
comment on column deliveries.next_attempt_at is 'Not before; null: at once.';
comment on column deliveries.lease_until is 'A sender that says nothing until then is taken for dead; by the clock of the database.';
comment on column deliveries.batch is 'What was sent together; names the file of a sink of files.';
comment on column deliveries.sender is 'Who sends it now: one that was taken for dead and is not must not write down its receipt.';
comment on column deliveries.alone is 'To be sent without others, because a batch it was in was refused.';
comment on column deliveries.unsure is 'An attempt ended without an answer: the sink may hold it already.';
comment on column deliveries.receipt is 'What the sink holds: its resources and their versions.';
create index deliveries_to_do on deliveries (tenant, sink, position) where state in ('pending', 'sending');
create index deliveries_by_state on deliveries (tenant, sink, state, identifier);

create index resources_by_provenance_target on resources (tenant, (body->'target'->0->>'reference'))
  where type = 'Provenance' and not deleted;
`,
};
