import type { AuditEvent } from '@medplum/fhirtypes';
import { readPredictionLog } from '../../monitoring/prediction-log.ts';
import { readAccessLog } from '../../monitoring/read-access-log.ts';
import type { Sql } from '../../platform/database.ts';
import { accessEvent } from './access-event.ts';
import { auditEvent } from './audit-event.ts';
import type { AuditFrame } from './audit-parts.ts';
import type { AuditSearch } from './audit-query.ts';

/** An event and its place in the order of both logs. */
export interface LoggedEvent {
  readonly event: AuditEvent & { id: string };
  readonly recorded: Date;
  readonly id: string;
}

/** Events of both logs in one order, at most `count` of the query. */
export async function readAuditEvents(
  sql: Sql,
  tenant: string,
  { query, accesses }: Pick<AuditSearch, 'query' | 'accesses'>,
  frame: AuditFrame,
): Promise<{ readonly events: readonly LoggedEvent[]; readonly more: boolean }> {
  const [predictions, others] = await Promise.all([
    readPredictionLog(sql, tenant, query),
    readAccessLog(sql, tenant, accesses),
  ]);
  const events: LoggedEvent[] = [
    ...predictions.rows.map((row) => ({ event: auditEvent(row, frame), recorded: row.recorded, id: row.id })),
    ...others.rows.map((row) => ({ event: accessEvent(row, frame), recorded: row.recorded, id: row.id })),
  ].sort(query.newestFirst ? byTimeDescending : (one, other) => byTimeDescending(other, one));
  return {
    events: events.slice(0, query.count),
    more: predictions.more || others.more || events.length > query.count,
  };
}

/** The order of both readers: the newest first, those of one millisecond by id. */
function byTimeDescending(one: LoggedEvent, other: LoggedEvent): number {
  return other.recorded.getTime() - one.recorded.getTime() || (one.id < other.id ? -1 : 1);
}
