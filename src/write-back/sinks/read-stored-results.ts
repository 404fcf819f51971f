import type { Device, Provenance, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { parseFhirJson } from '../../fhir/fhir-json.ts';
import { parseRelativeReference } from '../../fhir/reference.ts';
import { readWithFirst } from '../../fhir/store/read-with-first.ts';
import { sameBeyondMeta } from '../../fhir/store/resource-row.ts';
import type { Sql } from '../../platform/database.ts';
import { openElements } from '../check-stored.ts';
import { inSlices } from '../in-slices.ts';
import { saysTheSame } from '../says-the-same.ts';
import { isTaggedSuperseded } from '../superseded-tag.ts';
import type { StoredResult } from './delivery.ts';

/**
 * The results as they stand now in the own store, by the logical id of their RiskAssessment; one that was deleted is not
 * among them. Their models' Devices and the Provenance of their first versions come along.
 */
export async function readStoredResults(
  sql: Sql,
  tenant: string,
  wanted: readonly { readonly identifier: string; readonly resourceId: string }[],
): Promise<ReadonlyMap<string, StoredResult>> {
  const ids = wanted.map(({ resourceId }) => resourceId);
  const stored = await readAssessments(sql, tenant, ids);
  const assessments = new Map([...stored].map(([id, { riskAssessment }]) => [id, riskAssessment]));
  const deviceIds = new Set([...assessments.values()].flatMap((assessment) => deviceId(assessment) ?? []));
  const devices = await bodies<Device>(sql, tenant, 'Device', [...deviceIds]);
  const provenances = await provenancesOf(sql, tenant, [...assessments.keys()]);
  return new Map(
    wanted.flatMap(({ identifier, resourceId }): [string, StoredResult][] => {
      const riskAssessment = assessments.get(resourceId);
      if (riskAssessment === undefined) return [];
      const device = devices.get(deviceId(riskAssessment) ?? '');
      const provenance = provenances.get(resourceId);
      const superseded = isTaggedSuperseded(riskAssessment);
      return [
        [
          resourceId,
          {
            identifier,
            riskAssessment,
            superseded,
            tampered: stored.get(resourceId)?.tampered ?? false,
            ...(device === undefined ? {} : { device }),
            ...(provenance === undefined ? {} : { provenance }),
          },
        ],
      ];
    }),
  );
}

/** Each as it stands, and whether it says anything else than its first version, apart from what others may change. */
async function readAssessments(
  sql: Sql,
  tenant: string,
  ids: readonly string[],
): Promise<Map<string, { readonly riskAssessment: RiskAssessment & { id: string }; readonly tampered: boolean }>> {
  const names = ids.map((id) => ({ type: 'RiskAssessment', id }));
  const rows = await readWithFirst({ sql, tenant }, names);
  return new Map(
    await inSlices([...rows], ([name, { body, first, version }]) => {
      const riskAssessment = parseFhirJson(body) as RiskAssessment & { id: string };
      const same =
        version === 1 ||
        (first !== undefined &&
          (sameBeyondMeta(riskAssessment, body, first) ||
            saysTheSame(riskAssessment, parseFhirJson(first) as RiskAssessment, openElements.RiskAssessment)));
      return [name.slice('RiskAssessment/'.length), { riskAssessment, tampered: !same }] as const;
    }),
  );
}

function deviceId({ performer }: RiskAssessment): string | undefined {
  const parsed = parseRelativeReference(performer?.reference ?? '');
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
  ids: readonly string[],
): Promise<Map<string, Provenance & { id: string }>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql.query<{ target: string; body: string }>(
    `select body->'target'->0->>'reference' as target, body::text as body from resources
     where tenant = $1 and type = 'Provenance' and not deleted and (body->'target'->0->>'reference') = any($2)`,
    [tenant, ids.map((id) => `RiskAssessment/${id}/_history/1`)],
  );
  const read = ({ target, body }: { target: string; body: string }) =>
    [parseRelativeReference(target)?.id ?? '', parseFhirJson(body) as Provenance & { id: string }] as const;
  return new Map(await inSlices(rows, read));
}
