import type { Device, Provenance, Resource } from '@medplum/fhirtypes';
import { parseFhirJson } from '../../fhir/fhir-json.ts';
import { parseRelativeReference } from '../../fhir/reference.ts';
import { readWithMade } from '../../fhir/store/read-with-made.ts';
import { sameBeyondMeta } from '../../fhir/store/resource-row.ts';
import type { Sql } from '../../platform/database.ts';
import type { ResultResource } from '../../results/result-resource.ts';
import { openElements } from '../check-stored.ts';
import { inSlices } from '../in-slices.ts';
import { saysTheSame } from '../says-the-same.ts';
import { isTaggedSuperseded } from '../superseded-tag.ts';
import type { StoredResult } from './delivery.ts';
import { deviceOf } from './device-of.ts';
import type { ChangedResult } from './enqueue-deliveries.ts';

/**
 * The results as they stand now in the own store, by `Type/id`; one that was deleted is not among them. Their models'
 * Devices and the Provenance of the versions that were made come along.
 */
export async function readStoredResults(
  sql: Sql,
  tenant: string,
  wanted: readonly ChangedResult[],
): Promise<ReadonlyMap<string, StoredResult>> {
  const nameOf = ({ resourceType, resourceId }: ChangedResult): string => `${resourceType}/${resourceId}`;
  const made = await reportVersions(sql, tenant, wanted);
  const stored = await readResults(sql, tenant, wanted, made);
  const deviceIds = new Set([...stored.values()].flatMap(({ resource }) => deviceId(resource) ?? []));
  const devices = await bodies<Device>(sql, tenant, 'Device', [...deviceIds]);
  const provenances = await provenancesOf(
    sql,
    tenant,
    [...stored.keys()].map((name) => `${name}/_history/${made.get(name) ?? 1}`),
  );
  return new Map(
    wanted.flatMap((result): [string, StoredResult][] => {
      const name = nameOf(result);
      const found = stored.get(name);
      if (found === undefined) return [];
      const { resource, tampered } = found;
      const device = devices.get(deviceId(resource) ?? '');
      const provenance = provenances.get(name);
      const version = made.get(name);
      return [
        [
          name,
          {
            identifier: result.identifier,
            resource,
            superseded: isTaggedSuperseded(resource),
            tampered,
            ...(version === undefined ? {} : { made: version }),
            ...(device === undefined ? {} : { device }),
            ...(provenance === undefined ? {} : { provenance }),
          },
        ],
      ];
    }),
  );
}

/** Each as it stands, by `Type/id`, and whether it says anything else than the version that was made, apart from what others may change. */
async function readResults(
  sql: Sql,
  tenant: string,
  wanted: readonly ChangedResult[],
  made: ReadonlyMap<string, number>,
): Promise<Map<string, Pick<StoredResult, 'resource' | 'tampered'>>> {
  const names = wanted.map(({ resourceType: type, resourceId: id }) => ({ type, id, made: made.get(`${type}/${id}`) }));
  const rows = await readWithMade({ sql, tenant }, names);
  return new Map(
    await inSlices([...rows], ([name, { body, made: before, isMade }]) => {
      const resource = parseFhirJson(body) as StoredResult['resource'];
      const same =
        isMade ||
        (before !== undefined &&
          (sameBeyondMeta(resource, body, before) ||
            saysTheSame(resource, parseFhirJson(before) as ResultResource, openElements.result)));
      return [name, { resource, tampered: !same }] as const;
    }),
  );
}

/** Of reports, by `Type/id`: the version that says what the report says now. */
async function reportVersions(
  sql: Sql,
  tenant: string,
  wanted: readonly ChangedResult[],
): Promise<ReadonlyMap<string, number>> {
  const ids = wanted.flatMap(({ resourceType, resourceId }) =>
    resourceType === 'DiagnosticReport' ? [resourceId] : [],
  );
  if (ids.length === 0) return new Map();
  const { rows } = await sql.query<{ id: string; version: number }>(
    `select resource_id as id, max(resource_version) as version from outcomes
     where tenant = $1 and resource_type = 'DiagnosticReport' and resource_id = any($2::text[]) group by resource_id`,
    [tenant, ids],
  );
  return new Map(rows.map(({ id, version }) => [`DiagnosticReport/${id}`, version]));
}

function deviceId(result: ResultResource): string | undefined {
  const parsed = parseRelativeReference(deviceOf(result)?.reference ?? '');
  return parsed?.type === 'Device' ? parsed.id : undefined;
}

async function bodies<Kind extends Resource>(
  sql: Sql,
  tenant: string,
  type: Kind['resourceType'],
  ids: readonly string[],
): Promise<Map<string, Kind & { id: string }>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql.query<{ id: string; body: string }>(
    'select id, body::text as body from resources where tenant = $1 and type = $2 and id = any($3) and not deleted',
    [tenant, type, ids],
  );
  return new Map(await inSlices(rows, ({ id, body }) => [id, parseFhirJson(body) as Kind & { id: string }] as const));
}

async function provenancesOf(
  sql: Sql,
  tenant: string,
  targets: readonly string[],
): Promise<Map<string, Provenance & { id: string }>> {
  if (targets.length === 0) return new Map();
  const { rows } = await sql.query<{ target: string; body: string }>(
    `select body->'target'->0->>'reference' as target, body::text as body from resources
     where tenant = $1 and type = 'Provenance' and not deleted and (body->'target'->0->>'reference') = any($2)`,
    [tenant, targets],
  );
  const read = ({ target, body }: { target: string; body: string }) =>
    [target.slice(0, target.indexOf('/_history/')), parseFhirJson(body) as Provenance & { id: string }] as const;
  return new Map(await inSlices(rows, read));
}
