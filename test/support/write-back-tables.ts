import type { RiskAssessment } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../src/platform/database.ts';
import { isTaggedSuperseded } from '../../src/write-back/superseded-tag.ts';

/** What is kept of an outcome, apart from ids and versions of its resource. */
export interface KeptOutcome {
  readonly computedAt: string;
  readonly supersededBy: string | null;
  readonly supersededAt: string | undefined;
  /** Undefined where it has no resource. */
  readonly tagged: boolean | undefined;
}

export async function clearWriteBack(database: Database): Promise<void> {
  for (const table of ['deliveries', 'report_reviews', 'outcomes', 'resources', 'resource_versions'])
    await database.query(`delete from ${table}`);
}

/** By identifier. */
export async function keptOutcomes(database: Database): Promise<Map<string, KeptOutcome>> {
  const { rows } = await database.query<{
    identifier: string;
    computed_at: Date;
    superseded_by: string | null;
    superseded_at: Date | null;
    body: string | null;
  }>(
    `select o.identifier, o.computed_at, o.superseded_by, o.superseded_at, r.body from outcomes o
     left join resources r on r.tenant = o.tenant and r.type = 'RiskAssessment' and r.id = o.resource_id and not r.deleted
     order by o.identifier`,
  );
  return new Map(
    rows.map((row) => [
      row.identifier,
      {
        computedAt: row.computed_at.toISOString(),
        supersededBy: row.superseded_by,
        supersededAt: row.superseded_at?.toISOString(),
        tagged: row.body === null ? undefined : isTaggedSuperseded(JSON.parse(row.body) as RiskAssessment),
      },
    ]),
  );
}

/** How many outcomes of each group stand; what-if outcomes apart. */
export async function standingByGroup(database: Database): Promise<number[]> {
  const { rows } = await database.query<{ standing: string }>(
    `select count(*) filter (where superseded_by is null)::text as standing from outcomes where not what_if
     group by tenant, fhir_base, subject_id, encounter_id, model_id`,
  );
  return rows.map(({ standing }) => Number(standing));
}

export async function storedCount(database: Database, type: string): Promise<number> {
  const { rowCount } = await database.query('select 1 from resources where type = $1 and not deleted', [type]);
  return rowCount;
}

/** The same database, its statements listed as they are sent. */
export function listingStatements(database: Database): { readonly database: Database; readonly statements: string[] } {
  const statements: string[] = [];
  const transaction: Database['transaction'] = async (work) => {
    statements.push('begin');
    const result = await database.transaction((sql) =>
      work({
        query: (text, values) => {
          statements.push(text);
          return sql.query(text, values);
        },
      } satisfies Sql),
    );
    statements.push('commit');
    return result;
  };
  return { database: { ...database, transaction }, statements };
}
