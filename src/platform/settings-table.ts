import type { Sql } from './database.ts';

/**
 * Keeps a value under a key the first time, and gives back what was kept ever after.
 * @param value anything JSON can say
 */
export async function keepOnce<T>(sql: Sql, tenant: string, key: string, value: T): Promise<T> {
  await sql.query('insert into settings_kv (tenant, key, value) values ($1, $2, $3) on conflict do nothing', [
    tenant,
    key,
    JSON.stringify(value),
  ]);
  const { rows } = await sql.query<{ value: string }>('select value from settings_kv where tenant = $1 and key = $2', [
    tenant,
    key,
  ]);
  const [row] = rows;
  return row === undefined ? value : (JSON.parse(row.value) as T);
}

/** What was kept under a key, or undefined. */
export async function readSetting<T>(sql: Sql, tenant: string, key: string): Promise<T | undefined> {
  const { rows } = await sql.query<{ value: string }>('select value from settings_kv where tenant = $1 and key = $2', [
    tenant,
    key,
  ]);
  const [row] = rows;
  return row === undefined ? undefined : (JSON.parse(row.value) as T);
}
