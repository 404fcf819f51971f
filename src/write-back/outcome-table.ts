import type { Sql } from '../platform/database.ts';
import type { ResultResource } from '../results/result-resource.ts';
import type { OutcomeGroup, OutcomeRow } from './outcome-record.ts';
import { supersededTag } from './superseded-tag.ts';

const columns = `identifier, tenant, fhir_base, subject_id, encounter_id, focus, model_id, model_version, model_digest,
  as_of, computed_at, valid_until, state, what_if, verdicts::text as verdicts, scores::text as scores,
  resource_id, resource_type, resource_version, report_inputs, superseded_by, superseded_at`;

interface SqlRow {
  identifier: string;
  tenant: string;
  fhir_base: string;
  subject_id: string;
  encounter_id: string;
  focus: string;
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
  resource_type: ResultResource['resourceType'] | null;
  resource_version: number | null;
  report_inputs: string | null;
  superseded_by: string | null;
  superseded_at: Date | null;
}

/**
 * Makes all writers of one of the groups wait for each other until the transaction ends. The keys are taken in one order
 * by everybody, so that no two wait for each other. The transaction must run at READ COMMITTED, so that what is read
 * after the wait is what the one before has committed.
 * @param waitMs longest wait for a lock, of this statement and the rest of the transaction; 0: as long as a statement may
 * last. Where it is over, the statement fails with 55P03.
 */
export async function lockGroups(sql: Sql, groups: readonly OutcomeGroup[], waitMs = 0): Promise<void> {
  await sql.query(
    // The keys are sorted, and so the time limit is set, before the first of them is locked.
    `with waiting as materialized (select set_config('lock_timeout', $2, true) as time)
     select pg_advisory_xact_lock(key) from (
       select distinct hashtextextended(name, 0) as key from waiting, unnest($1::text[]) as name
       where waiting.time is not null order by 1
     ) as ordered`,
    [groups.map(groupName), String(waitMs)],
  );
}

/** The same for two records that supersede each other, and for no others. */
export function groupName({ tenant, fhirBase, subjectId, encounterId, focus, modelId }: OutcomeGroup): string {
  return JSON.stringify([tenant, fhirBase, subjectId, encounterId, focus, modelId]);
}

/** A row of the table, and its resource where it was written back. */
export interface FoundOutcome {
  readonly row: OutcomeRow;
  /** Whether the stored resource has the tag `superseded`; undefined where there is none, or it was deleted. */
  readonly tagged: boolean | undefined;
}

/** Outcomes by identifier. */
export async function findOutcomes(sql: Sql, tenant: string, identifiers: readonly string[]): Promise<OutcomeRow[]> {
  const { rows } = await sql.query<SqlRow>(
    `select ${columns} from outcomes where tenant = $1 and identifier = any($2::text[])`,
    [tenant, identifiers],
  );
  return rows.map(toOutcomeRow);
}

/** The outcomes that versions of a report of this server said, the one that it says now first. */
export async function outcomesOfReport(sql: Sql, tenant: string, reportId: string): Promise<OutcomeRow[]> {
  const { rows } = await sql.query<SqlRow>(
    `select ${columns} from outcomes where tenant = $1 and resource_type = 'DiagnosticReport' and resource_id = $2
     order by resource_version desc`,
    [tenant, reportId],
  );
  return rows.map(toOutcomeRow);
}

/**
 * Of every study of a subject what a model with reports has said last: the outcomes that nothing has superseded. What-if
 * outcomes are none.
 */
export async function findStudyOutcomes(
  sql: Sql,
  { tenant, fhirBase, subjectId, modelId }: Pick<OutcomeGroup, 'tenant' | 'fhirBase' | 'subjectId' | 'modelId'>,
): Promise<OutcomeRow[]> {
  const { rows } = await sql.query<SqlRow>(
    `select ${columns} from outcomes
     where tenant = $1 and fhir_base = $2 and subject_id = $3 and encounter_id = '' and model_id = $4
       and focus like 'ImagingStudy/%' and not what_if and superseded_by is null`,
    [tenant, fhirBase, subjectId, modelId],
  );
  return rows.map(toOutcomeRow);
}

/**
 * What a write must know, in one statement: of the groups the outcomes with these identifiers, those that nothing has
 * superseded yet, those whose resource lacks the tag that says so, and those that a version of a report says. What-if
 * outcomes take no part in a group.
 */
export async function readOutcomes(
  sql: Sql,
  tenant: string,
  identifiers: readonly string[],
  groups: readonly OutcomeGroup[],
): Promise<FoundOutcome[]> {
  const { rows } = await sql.query<SqlRow & { tagged: boolean | null }>(
    // `offset 0` keeps each group a search of its own in the index, whatever the planner believes of the table.
    `select ${columns}, tagged from (
       select own.*, (
         select coalesce((body->'meta'->'tag')::jsonb @> $8::jsonb, false) from resources
         where tenant = $1 and type = own.resource_type and id = own.resource_id and not deleted
       ) as tagged
       from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
         as g(fhir_base, subject_id, encounter_id, model_id, focus)
       cross join lateral (
         select * from outcomes o where o.tenant = $1 and o.fhir_base = g.fhir_base and o.subject_id = g.subject_id
           and o.encounter_id = g.encounter_id and o.model_id = g.model_id and o.focus = g.focus and not o.what_if
           and (o.superseded_by is null or o.resource_id is not null or o.identifier = any($2::text[])) offset 0
       ) as own offset 0
     ) as found
     where superseded_by is null or not tagged or resource_version is not null or identifier = any($2::text[])`,
    [
      tenant,
      identifiers,
      groups.map(({ fhirBase }) => fhirBase),
      groups.map(({ subjectId }) => subjectId),
      groups.map(({ encounterId }) => encounterId),
      groups.map(({ modelId }) => modelId),
      groups.map(({ focus }) => focus),
      JSON.stringify([{ system: supersededTag.system, code: supersededTag.code }]),
    ],
  );
  return rows.map((row) => ({ row: toOutcomeRow(row), tagged: row.tagged ?? undefined }));
}

/**
 * Inserts outcomes that are not there yet and brings others up to date (resource, supersession and time of computation),
 * in one statement. All rows are of one tenant.
 * @returns identifiers of the inserted: one that somebody else inserted meanwhile stays as it is
 */
export async function saveOutcomes(
  sql: Sql,
  tenant: string,
  inserts: readonly OutcomeRow[],
  updates: readonly OutcomeRow[],
): Promise<Set<string>> {
  if (inserts.length + updates.length === 0) return new Set();
  const values: unknown[] = [tenant];
  const bind = (rows: readonly OutcomeRow[], column: (row: OutcomeRow) => string | boolean | number | null) =>
    `$${values.push(rows.map(column))}`;
  const parts: string[] = [];
  if (inserts.length > 0) {
    // Rows are inserted in one order by everybody: two writers of the same what-if outcomes must not wait for each other.
    const given = inserts.toSorted((one, other) => (one.identifier < other.identifier ? -1 : 1));
    parts.push(`inserted as (
      insert into outcomes (tenant, identifier, fhir_base, subject_id, encounter_id, focus, model_id, model_version,
        model_digest, as_of, computed_at, valid_until, state, what_if, verdicts, scores, resource_id, resource_type,
        resource_version, report_inputs, superseded_by, superseded_at)
      select $1, * from unnest(
        ${bind(given, ({ identifier }) => identifier)}::text[], ${bind(given, ({ fhirBase }) => fhirBase)}::text[],
        ${bind(given, ({ subjectId }) => subjectId)}::text[], ${bind(given, ({ encounterId }) => encounterId)}::text[],
        ${bind(given, ({ focus }) => focus)}::text[],
        ${bind(given, ({ modelId }) => modelId)}::text[], ${bind(given, ({ modelVersion }) => modelVersion)}::text[],
        ${bind(given, ({ modelDigest }) => modelDigest)}::text[],
        ${bind(given, ({ asOf }) => asOf.toISOString())}::timestamptz[],
        ${bind(given, ({ computedAt }) => computedAt.toISOString())}::timestamptz[],
        ${bind(given, ({ validUntil }) => validUntil.toISOString())}::timestamptz[],
        ${bind(given, ({ state }) => state)}::text[], ${bind(given, ({ whatIf }) => whatIf)}::boolean[],
        ${bind(given, ({ verdicts }) => JSON.stringify(verdicts))}::json[],
        ${bind(given, ({ scores }) => (scores === undefined ? null : JSON.stringify(scores)))}::json[],
        ${bind(given, ({ resourceId }) => resourceId ?? null)}::text[],
        ${bind(given, ({ resourceType }) => resourceType ?? null)}::text[],
        ${bind(given, ({ resourceVersion }) => resourceVersion ?? null)}::int[],
        ${bind(given, ({ reportInputs }) => reportInputs ?? null)}::text[],
        ${bind(given, ({ supersededBy }) => supersededBy ?? null)}::text[],
        ${bind(given, ({ supersededAt }) => supersededAt?.toISOString() ?? null)}::timestamptz[])
      on conflict do nothing returning identifier)`);
  }
  if (updates.length > 0) {
    const identifiers = values.length + 1;
    parts.push(`updated as (
      update outcomes o set computed_at = t.computed_at, resource_id = t.resource_id, resource_type = t.resource_type,
        resource_version = t.resource_version, superseded_by = t.superseded_by, superseded_at = t.superseded_at
      from unnest(
        ${bind(updates, ({ identifier }) => identifier)}::text[],
        ${bind(updates, ({ computedAt }) => computedAt.toISOString())}::timestamptz[],
        ${bind(updates, ({ resourceId }) => resourceId ?? null)}::text[],
        ${bind(updates, ({ resourceType }) => resourceType ?? null)}::text[],
        ${bind(updates, ({ resourceVersion }) => resourceVersion ?? null)}::int[],
        ${bind(updates, ({ supersededBy }) => supersededBy ?? null)}::text[],
        ${bind(updates, ({ supersededAt }) => supersededAt?.toISOString() ?? null)}::timestamptz[]
      ) as t(identifier, computed_at, resource_id, resource_type, resource_version, superseded_by, superseded_at)
      where o.tenant = $1 and o.identifier = t.identifier and o.identifier = any($${identifiers}::text[]))`);
  }
  const result = inserts.length > 0 ? 'select identifier from inserted' : 'select null as identifier where $1 is null';
  const { rows } = await sql.query<{ identifier: string }>(`with ${parts.join(', ')} ${result}`, values);
  return new Set(rows.map(({ identifier }) => identifier));
}

function toOutcomeRow(row: SqlRow): OutcomeRow {
  return {
    identifier: row.identifier,
    tenant: row.tenant,
    fhirBase: row.fhir_base,
    subjectId: row.subject_id,
    encounterId: row.encounter_id,
    focus: row.focus,
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
    ...(row.resource_type === null ? {} : { resourceType: row.resource_type }),
    ...(row.resource_version === null ? {} : { resourceVersion: row.resource_version }),
    ...(row.report_inputs === null ? {} : { reportInputs: row.report_inputs }),
    ...(row.superseded_by === null ? {} : { supersededBy: row.superseded_by }),
    ...(row.superseded_at === null ? {} : { supersededAt: row.superseded_at }),
  };
}
