import type { Database } from '../../platform/database.ts';
import type { Runs } from '../open-runs.ts';
import type { Run } from '../run.ts';
import type { Schedule } from './schedule.ts';

/**
 * Makes the run of a schedule that is due, once for each record source. The firing and the run are kept in one transaction, so that of any number of
 * replicas one makes it, and a crash neither loses nor repeats it.
 * @returns undefined where it was fired before
 */
export async function fireOnce(
  parts: {
    readonly database: Database;
    readonly tenant: string;
    readonly fhirBase: string;
    readonly runs: Pick<Runs, 'createInside' | 'prepare'>;
  },
  { name, timeZone, model, version, cohort, writeBack, explain }: Schedule,
  dueAt: Date,
): Promise<Run | undefined> {
  const { database, tenant, fhirBase, runs } = parts;
  const firing = [tenant, fhirBase, name, dueAt];
  const { rows } = await database.query(
    'select 1 from run_schedule_firings where tenant = $1 and fhir_base = $2 and schedule = $3 and due_at = $4',
    firing,
  );
  if (rows.length > 0) return undefined;
  await runs.prepare();
  return await database.transaction(async (sql) => {
    const { rowCount } = await sql.query(
      'insert into run_schedule_firings (tenant, fhir_base, schedule, due_at) values ($1, $2, $3, $4) on conflict do nothing',
      firing,
    );
    if (rowCount === 0) return undefined;
    const request = {
      model,
      cohort,
      ...(version === undefined ? {} : { version }),
      ...(writeBack === undefined ? {} : { writeBack }),
      ...(explain === undefined ? {} : { explain }),
    };
    const idempotencyKey = { owner: 'schedule', key: `schedule:${name}:${dueAt.toISOString()}` };
    const run = await runs.createInside(sql, request, { schedule: name, timeZone, idempotencyKey });
    await sql.query(
      'update run_schedule_firings set run = $5 where tenant = $1 and fhir_base = $2 and schedule = $3 and due_at = $4',
      [...firing, run?.id ?? null],
    );
    return run;
  });
}
