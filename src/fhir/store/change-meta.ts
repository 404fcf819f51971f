import type { Meta, Resource } from '@medplum/fhirtypes';
import { parseFhirJson } from '../fhir-json.ts';
import { readResource } from './read-resource.ts';
import { bodyHead } from './resource-row.ts';
import type { StoreContext } from './store-context.ts';
import { updateResource } from './write-resource.ts';

/**
 * Stores next versions of resources that differ in `meta` alone, in two statements for any number of them: the rest of
 * a resource stays in the database. The rows are locked until the caller's transaction ends, so that a change by
 * somebody else before that is kept, and a later one waits.
 * @param change the new meta, or undefined where it stays; what was deleted is not asked about
 * @returns the new meta, with its version, of those that were changed, by id
 */
export async function changeMeta(
  context: StoreContext,
  type: Resource['resourceType'],
  ids: readonly string[],
  change: (meta: Meta, id: string) => Meta | undefined,
): Promise<Map<string, Meta>> {
  const { sql, tenant } = context;
  const { rows } = await sql.query<{ id: string; version: number; meta: string | null }>(
    `select id, version, body->'meta' as meta from resources
     where tenant = $1 and type = $2 and id = any($3::text[]) and not deleted order by id for update`,
    [tenant, type, ids],
  );
  const lastUpdated = context.clock.now().toISOString();
  const changes = rows.flatMap(({ id, version, meta: text }) => {
    const old = text === null ? {} : (parseFhirJson(text) as Meta);
    const meta = change(old, id);
    if (meta === undefined) return [];
    return [{ id, old, meta: { ...meta, versionId: String(version + 1), lastUpdated } }];
  });
  if (changes.length === 0) return new Map();
  const { rows: stored } = await sql.query<{ id: string }>(
    `with given as (
       select * from unnest($3::text[], $4::text[], $5::text[]) as t(id, old_head, new_head)
     ), changed as (
       update resources set version = version + 1, last_updated = $6,
         body = (given.new_head || substr(body::text, length(given.old_head) + 1))::json
       from given
       where tenant = $1 and type = $2 and resources.id = any($3::text[]) and resources.id = given.id
         and starts_with(body::text, given.old_head)
       returning resources.id, version, last_updated, body
     )
     insert into resource_versions (tenant, type, id, version, deleted, last_updated, body)
     select $1, $2, id, version, false, last_updated, body from changed
     returning id`,
    [
      tenant,
      type,
      changes.map(({ id }) => id),
      changes.map(({ id, old }) => bodyHead({ type, id }, old)),
      changes.map(({ id, meta }) => bodyHead({ type, id }, meta)),
      lastUpdated,
    ],
  );
  const done = new Set(stored.map(({ id }) => id));
  const after = new Map<string, Meta>(changes.map(({ id, meta }) => [id, meta]));
  // A text that does not begin as this server writes it is written anew.
  for (const { id, meta } of changes.filter((one) => !done.has(one.id))) {
    const whole = { ...(await readResource(context, type, id)), meta };
    const { resource } = await updateResource(context, whole, undefined, { replaceMeta: true });
    after.set(id, resource.meta ?? meta);
  }
  return after;
}
