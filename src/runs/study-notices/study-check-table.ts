import type { Sql } from '../../platform/database.ts';
import type { NoticeScope } from './study-notice-table.ts';

/** A subscription whose studies are to be asked for. */
export interface DueCheck {
  readonly subscription: string;
  /** What changed before was asked for already. */
  readonly since: Date;
}

/** Begins to check a subscription; one that was checked before goes on where that ended. */
export async function beginChecks(
  sql: Sql,
  { tenant, fhirBase }: NoticeScope,
  subscriptions: readonly string[],
  now: Date,
): Promise<void> {
  await sql.query(
    `insert into study_checks (tenant, fhir_base, subscription, checked_to, due_at)
     select $1, $2, name, $4::timestamptz, $4 from unnest($3::text[]) as given (name) on conflict do nothing`,
    [tenant, fhirBase, subscriptions, now],
  );
}

/** The subscription is to be checked now. */
export async function askForCheck(sql: Sql, scope: NoticeScope, subscription: string, now: Date): Promise<void> {
  await sql.query(
    `update study_checks set due_at = least(due_at, $4) where tenant = $1 and fhir_base = $2 and subscription = $3`,
    [scope.tenant, scope.fhirBase, subscription, now],
  );
}

/**
 * Takes a check that is due; it is due again at `again`, unless `finishCheck` says when.
 * @param among subscriptions of this server
 */
export async function takeCheck(
  sql: Sql,
  { tenant, fhirBase }: NoticeScope,
  among: readonly string[],
  { now, again }: { readonly now: Date; readonly again: Date },
): Promise<DueCheck | undefined> {
  const { rows } = await sql.query<{ subscription: string; checked_to: Date }>(
    `update study_checks set due_at = $5 where (tenant, fhir_base, subscription) = (
       select tenant, fhir_base, subscription from study_checks
       where tenant = $1 and fhir_base = $2 and subscription = any($3) and due_at <= $4
       order by due_at limit 1 for update skip locked)
     returning subscription, checked_to`,
    [tenant, fhirBase, among, now, again],
  );
  const [row] = rows;
  return row === undefined ? undefined : { subscription: row.subscription, since: row.checked_to };
}

/** A check was read to its end. A wish that came meanwhile stays. */
export async function finishCheck(
  sql: Sql,
  { tenant, fhirBase }: NoticeScope,
  subscription: string,
  { begun, taken, next }: { readonly begun: Date; readonly taken: Date; readonly next: Date },
): Promise<void> {
  await sql.query(
    `update study_checks set checked_to = greatest(checked_to, $4),
       due_at = case when due_at = $5 then $6::timestamptz else due_at end
     where tenant = $1 and fhir_base = $2 and subscription = $3`,
    [tenant, fhirBase, subscription, begun, taken, next],
  );
}
