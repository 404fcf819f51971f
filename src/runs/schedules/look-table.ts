import type { Sql } from '../../platform/database.ts';

/** A schedule of the servers with one record source. */
export interface LookKey {
  readonly tenant: string;
  readonly fhirBase: string;
  readonly schedule: string;
}

/** A look kept further ahead than this was kept by a clock that was wrong; clocks of replicas differ by less. */
export const clockToleranceMs = 5 * 60_000;

/** When any replica last looked whether a schedule is due. */
export async function readLook(sql: Sql, { tenant, fhirBase, schedule }: LookKey): Promise<Date | undefined> {
  const { rows } = await sql.query<{ looked_at: Date }>(
    'select looked_at from run_schedule_looks where tenant = $1 and fhir_base = $2 and schedule = $3',
    [tenant, fhirBase, schedule],
  );
  return rows[0]?.looked_at;
}

/** Goes back only from what a wrong clock kept: another replica's clock may be ahead a little. */
export async function keepLook(sql: Sql, { tenant, fhirBase, schedule }: LookKey, at: Date): Promise<void> {
  await sql.query(
    `insert into run_schedule_looks as known (tenant, fhir_base, schedule, looked_at) values ($1, $2, $3, $4)
     on conflict (tenant, fhir_base, schedule) do update
     set looked_at = case when known.looked_at > $5::timestamptz then excluded.looked_at
       else greatest(known.looked_at, excluded.looked_at) end`,
    [tenant, fhirBase, schedule, at, new Date(at.getTime() + clockToleranceMs)],
  );
}
