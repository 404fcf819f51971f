import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { OutcomeGroup, OutcomeRecord, OutcomeRow } from './outcome-record.ts';

const columns = `identifier, tenant, fhir_base, subject_id, encounter_id, model_id, model_version, model_digest,
  as_of, computed_at, valid_until, state, what_if, verdicts::text as verdicts, scores::text as scores,
  resource_id, superseded_by, superseded_at`;

interface SqlRow {
  identifier: string;
  tenant: string;
  fhir_base: string;
  subject_id: string;
  encounter_id: string;
  model_id: string;
  model_version: string;
  model_digest: string;
  as_of: Date;
  computed_at: Date;
  valid_until: Date;
  state: 'scored' | 'abstained';
  what_if: boolean;
  verdicts: string;
  scores: string | null;
  resource_id: string | null;
  superseded_by: string | null;
  superseded_at: Date | null;
}

/**
 * Makes all writers of one name wait for each other until the transaction ends. The transaction must run at READ
 * COMMITTED, so that what is read after the wait is what the one before has committed.
 */
export async function lockUntilCommit(sql: Sql, name: readonly string[]): Promise<void> {
  await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [JSON.stringify(name)]);
}

export async function findOutcome(sql: Sql, tenant: string, identifier: string): Promise<OutcomeRow | undefined> {
  const { rows } = await sql.query<SqlRow>(`select ${columns} from outcomes where tenant = $1 and identifier = $2`, [
    tenant,
    identifier,
  ]);
  return rows[0] === undefined ? undefined : toOutcomeRow(rows[0]);
}

/** Inserts a record that is not there yet. */
export async function insertOutcome(sql: Sql, record: OutcomeRecord): Promise<OutcomeRow> {
  const { rows } = await sql.query<SqlRow>(
    `insert into outcomes (identifier, tenant, fhir_base, subject_id, encounter_id, model_id, model_version,
       model_digest, as_of, computed_at, valid_until, state, what_if, verdicts, scores)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     returning ${columns}`,
    [
      record.identifier,
      record.tenant,
      record.fhirBase,
      record.subjectId,
      record.encounterId,
      record.modelId,
      record.modelVersion,
      record.modelDigest,
      record.asOf.toISOString(),
      record.computedAt.toISOString(),
      record.validUntil.toISOString(),
      record.state,
      record.whatIf,
      JSON.stringify(record.verdicts),
      record.scores === undefined ? null : JSON.stringify(record.scores),
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new PredictionError('INTERNAL', 'The outcome was inserted and not returned.');
  return toOutcomeRow(row);
}

/** Outcomes of the group that nothing has superseded yet, the current one first; what-if outcomes take no part. */
export async function standingOutcomes(sql: Sql, group: OutcomeGroup): Promise<OutcomeRow[]> {
  const { rows } = await sql.query<SqlRow>(
    `select ${columns} from outcomes
     where tenant = $1 and fhir_base = $2 and subject_id = $3 and encounter_id = $4 and model_id = $5
       and not what_if and superseded_by is null
     order by as_of desc, computed_at desc, identifier desc`,
    groupKey(group),
  );
  return rows.map(toOutcomeRow);
}

/** The results of the group that were written back, and whether each is superseded. */
export async function writtenOutcomes(
  sql: Sql,
  group: OutcomeGroup,
): Promise<{ readonly resourceId: string; readonly superseded: boolean }[]> {
  const { rows } = await sql.query<{ resource_id: string; superseded: boolean }>(
    `select resource_id, superseded_by is not null as superseded from outcomes
     where tenant = $1 and fhir_base = $2 and subject_id = $3 and encounter_id = $4 and model_id = $5
       and not what_if and resource_id is not null
     order by resource_id`,
    groupKey(group),
  );
  return rows.map(({ resource_id, superseded }) => ({ resourceId: resource_id, superseded }));
}

export async function markSuperseded(sql: Sql, row: OutcomeRow, by: OutcomeRow, at: Date): Promise<void> {
  await sql.query('update outcomes set superseded_by = $3, superseded_at = $4 where tenant = $1 and identifier = $2', [
    row.tenant,
    row.identifier,
    by.identifier,
    at.toISOString(),
  ]);
}

/** Makes a superseded outcome stand again, as of a later computation that gave it once more. */
export async function reinstateOutcome(sql: Sql, row: OutcomeRow, computedAt: Date): Promise<void> {
  await sql.query(
    `update outcomes set superseded_by = null, superseded_at = null, computed_at = $3
     where tenant = $1 and identifier = $2`,
    [row.tenant, row.identifier, computedAt.toISOString()],
  );
}

export async function setResourceId(sql: Sql, row: OutcomeRow, resourceId: string): Promise<void> {
  await sql.query('update outcomes set resource_id = $3 where tenant = $1 and identifier = $2', [
    row.tenant,
    row.identifier,
    resourceId,
  ]);
}

function groupKey({ tenant, fhirBase, subjectId, encounterId, modelId }: OutcomeGroup): string[] {
  return [tenant, fhirBase, subjectId, encounterId, modelId];
}

function toOutcomeRow(row: SqlRow): OutcomeRow {
  return {
    identifier: row.identifier,
    tenant: row.tenant,
    fhirBase: row.fhir_base,
    subjectId: row.subject_id,
    encounterId: row.encounter_id,
    modelId: row.model_id,
    modelVersion: row.model_version,
    modelDigest: row.model_digest,
    asOf: row.as_of,
    computedAt: row.computed_at,
    validUntil: row.valid_until,
    state: row.state,
    whatIf: row.what_if,
    verdicts: JSON.parse(row.verdicts) as Record<string, unknown>,
    ...(row.scores === null ? {} : { scores: JSON.parse(row.scores) as Record<string, number> }),
    ...(row.resource_id === null ? {} : { resourceId: row.resource_id }),
    ...(row.superseded_by === null ? {} : { supersededBy: row.superseded_by }),
    ...(row.superseded_at === null ? {} : { supersededAt: row.superseded_at }),
  };
}
