import type { DiagnosticReport } from '@medplum/fhirtypes';
import { parseFhirJson } from '../fhir/fhir-json.ts';
import type { Sql } from '../platform/database.ts';
import { openElements } from './check-stored.ts';
import type { OutcomeRow } from './outcome-record.ts';
import { isTaggedSuperseded } from './superseded-tag.ts';

/** Of a report what is shown in a few lines: without its page and its pictures, which are megabytes. */
export type ReportInShort = Pick<DiagnosticReport, 'resourceType' | 'meta' | 'status' | 'text' | 'contained'> & {
  readonly id: string;
};

/** A report as it stands in the own store. */
export interface ReadReport {
  readonly report: ReportInShort;
  /** It says something else than what this server made of it. */
  readonly tampered: boolean;
}

/**
 * The report that says an outcome; undefined where none does, or it was deleted. What it says is compared in the database with the
 * version that was made, which is read only where it is another one.
 */
export async function readReport(
  sql: Sql,
  { tenant, resourceType, resourceId }: Pick<OutcomeRow, 'tenant' | 'resourceType' | 'resourceId'>,
): Promise<ReadReport | undefined> {
  if (resourceType !== 'DiagnosticReport' || resourceId === undefined) return undefined;
  const { rows } = await sql.query<{ body: string; tampered: boolean }>(
    `with made as (
       select coalesce(max(resource_version), 1) as version from outcomes
       where tenant = $1 and resource_type = 'DiagnosticReport' and resource_id = $2
     )
     select json_build_object('meta', r.body->'meta', 'status', r.body->'status', 'text', r.body->'text', 'contained', (
         select json_agg(part) from json_array_elements(r.body->'contained') as part
         where part->>'resourceType' <> 'Media'
       ))::text as body,
       r.version <> made.version and coalesce(r.body::jsonb - $3::text[] <> v.body::jsonb - $3::text[], true) as tampered
     from made
     join resources r on r.tenant = $1 and r.type = 'DiagnosticReport' and r.id = $2 and not r.deleted
     left join resource_versions v on r.version <> made.version
       and v.tenant = r.tenant and v.type = r.type and v.id = r.id and v.version = made.version`,
    [tenant, resourceId, openElements.result],
  );
  const [found] = rows;
  if (found === undefined) return undefined;
  const stored = parseFhirJson(found.body) as Record<keyof ReportInShort, unknown>;
  const present = Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== null));
  const report = { ...present, resourceType, id: resourceId } as ReportInShort;
  return isTaggedSuperseded(report) ? undefined : { report, tampered: found.tampered };
}
