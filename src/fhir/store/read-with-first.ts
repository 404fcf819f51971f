import type { StoreContext } from './store-context.ts';

/** A resource and its first version, as JSON text. */
export interface WithFirst {
  readonly body: string;
  /** Undefined where the current version is the first, or the first is not known. */
  readonly first: string | undefined;
  readonly version: number;
}

/** Current and first versions by `Type/id`, in one statement; what is not there or was deleted is left out. */
export async function readWithFirst(
  { sql, tenant }: Pick<StoreContext, 'sql' | 'tenant'>,
  names: readonly { readonly type: string; readonly id: string }[],
): Promise<Map<string, WithFirst>> {
  const { rows } = await sql.query<{ name: string; version: number; body: string; first: string | null }>(
    `select r.type || '/' || r.id as name, r.version, r.body, v.body as first
     from unnest($2::text[], $3::text[]) as named(type, id)
     cross join lateral (
       select * from resources
       where tenant = $1 and type = named.type and id = named.id and not deleted offset 0
     ) as r
     left join resource_versions v on r.version > 1
       and v.tenant = $1 and v.type = r.type and v.id = r.id and v.version = 1`,
    [tenant, names.map(({ type }) => type), names.map(({ id }) => id)],
  );
  return new Map(rows.map(({ name, version, body, first }) => [name, { version, body, first: first ?? undefined }]));
}
