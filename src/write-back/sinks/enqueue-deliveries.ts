import type { Sql } from '../../platform/database.ts';
import type { ResultResource } from '../../results/result-resource.ts';

/** A stored result that is new, or whose tag says something else now. */
export interface ChangedResult {
  /** Identifier of the result. */
  readonly identifier: string;
  /** Logical id in the own store. */
  readonly resourceId: string;
  readonly resourceType: ResultResource['resourceType'];
}

/**
 * Makes results wanted at every sink, in the transaction that stores them: both are kept, or neither. A result that is
 * being sent is sent once more afterwards; a dead letter that changed is tried again.
 */
export async function enqueueDeliveries(
  sql: Sql,
  tenant: string,
  sinks: readonly string[],
  changed: readonly ChangedResult[],
): Promise<void> {
  if (sinks.length === 0 || changed.length === 0) return;
  // Rows are locked in one order everywhere, and none may be named twice in one statement.
  const byIdentifier = new Map(changed.map((result) => [result.identifier, result]));
  await sql.query(
    `insert into deliveries as known (tenant, sink, identifier, resource_id, resource_type)
     select $1, sinks.sink, changed.identifier, changed.resource_id, changed.resource_type
     from unnest($2::text[]) as sinks (sink), unnest($3::text[], $4::text[], $5::text[])
       as changed (identifier, resource_id, resource_type)
     order by sinks.sink collate "C", changed.identifier collate "C"
     on conflict (tenant, sink, identifier) do update set
       resource_id = excluded.resource_id,
       resource_type = excluded.resource_type,
       wanted = known.wanted + 1,
       position = excluded.position,
       state = case when known.state = 'sending' then known.state else 'pending' end,
       attempts = case when known.state = 'dead' then 0 else known.attempts end,
       next_attempt_at = case when known.state = 'pending' then known.next_attempt_at end`,
    [
      tenant,
      [...new Set(sinks)],
      [...byIdentifier.keys()],
      [...byIdentifier.values()].map(({ resourceId }) => resourceId),
      [...byIdentifier.values()].map(({ resourceType }) => resourceType),
    ],
  );
}
