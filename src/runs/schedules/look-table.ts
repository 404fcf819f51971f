import type { Sql } from '../../platform/database.ts';

/** When any replica last looked whether a schedule is due. */
export async function readLook(sql: Sql, tenant: string, schedule: string): Promise<Date | undefined> {
  const { rows } = await sql.query<{ looked_at: Date }>(
    'select looked_at from run_schedule_looks where tenant = $1 and schedule = $2',
    [tenant, schedule],
  );
  return rows[0]?.looked_at;
}

/** Never goes back: another replica's clock may be ahead. */
export async function keepLook(sql: Sql, tenant: string, schedule: string, at: Date): Promise<void> {
  await sql.query(
    `insert into run_schedule_looks (tenant, schedule, looked_at) values ($1, $2, $3)
     on conflict (tenant, schedule) do update
     set looked_at = greatest(run_schedule_looks.looked_at, excluded.looked_at)`,
    [tenant, schedule, at],
  );
}
