import type { Sql } from '../../platform/database.ts';
import type { NewVersionRecord, VersionRecord } from './version-record.ts';

interface SqlRow {
  readonly number: string;
  readonly recorded: Date;
  readonly action: VersionRecord['action'];
  readonly model: string;
  readonly version: string | null;
  readonly digest: string | null;
  readonly service: string | null;
  readonly from_version: string | null;
  readonly from_digest: string | null;
  readonly requester: string;
  readonly way: VersionRecord['way'];
  readonly because: string;
}

/** Makes all who add records of a tenant wait for each other until the transaction ends, so that each sees those before. */
export async function lockRecords(sql: Sql, tenant: string): Promise<void> {
  await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`version-records ${tenant}`]);
}

/** All records of a tenant, the oldest first. */
export async function readRecords(sql: Sql, tenant: string): Promise<VersionRecord[]> {
  const { rows } = await sql.query<SqlRow>(
    `select number::text, recorded, action, model, version, digest, service, from_version, from_digest, requester, way, because
     from version_records where tenant = $1 order by version_records.number`,
    [tenant],
  );
  return rows.map(toRecord);
}

/** The number of the last record of a tenant; 0 where there is none. */
export async function lastNumber(sql: Sql, tenant: string): Promise<number> {
  const { rows } = await sql.query<{ last: string | null }>(
    'select max(number)::text as last from version_records where tenant = $1',
    [tenant],
  );
  return Number(rows[0]?.last ?? 0);
}

export async function addRecord(sql: Sql, tenant: string, record: NewVersionRecord, at: Date): Promise<VersionRecord> {
  const { action, model, version, digest, service, from, requester, way, because } = record;
  const { rows } = await sql.query<{ number: string }>(
    `insert into version_records (tenant, recorded, action, model, version, digest, service, from_version, from_digest,
       requester, way, because)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning number::text`,
    [
      tenant,
      at,
      action,
      model,
      version ?? null,
      digest ?? null,
      service ?? null,
      from?.version ?? null,
      from?.digest ?? null,
      requester,
      way,
      because,
    ],
  );
  return { ...record, number: Number(rows[0]?.number), recorded: at };
}

function toRecord(row: SqlRow): VersionRecord {
  const { number, recorded, action, model, version, digest, service, requester, way, because } = row;
  const { from_version: fromVersion, from_digest: fromDigest } = row;
  return {
    number: Number(number),
    recorded,
    action,
    model,
    requester,
    way,
    because,
    ...(version === null ? {} : { version }),
    ...(digest === null ? {} : { digest }),
    ...(service === null ? {} : { service }),
    ...(fromVersion === null || fromDigest === null ? {} : { from: { version: fromVersion, digest: fromDigest } }),
  };
}
