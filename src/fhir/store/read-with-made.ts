import type { StoreContext } from './store-context.ts';

/** A resource, and the version of it that this server made, as JSON text. */
export interface WithMade {
  readonly body: string;
  /** Undefined where the current version is that one, or that one is not known. */
  readonly made: string | undefined;
  /** True where the current version is the one that was made. */
  readonly isMade: boolean;
}

/** A resource by its name, and which version of it this server made. */
export interface NamedMade {
  readonly type: string;
  readonly id: string;
  /** Absent: the first. */
  readonly made?: number | undefined;
}

/** Current and made versions by `Type/id`, in one statement; what is not there or was deleted is left out. */
export async function readWithMade(
  { sql, tenant }: Pick<StoreContext, 'sql' | 'tenant'>,
  names: readonly NamedMade[],
): Promise<Map<string, WithMade>> {
  const { rows } = await sql.query<{ name: string; is_made: boolean; body: string; made: string | null }>(
    `select r.type || '/' || r.id as name, r.version = named.made as is_made, r.body, v.body as made
     from unnest($2::text[], $3::text[], $4::int[]) as named(type, id, made)
     cross join lateral (
       select * from resources
       where tenant = $1 and type = named.type and id = named.id and not deleted offset 0
     ) as r
     left join resource_versions v on r.version <> named.made
       and v.tenant = $1 and v.type = r.type and v.id = r.id and v.version = named.made`,
    [tenant, names.map(({ type }) => type), names.map(({ id }) => id), names.map(({ made = 1 }) => made)],
  );
  return new Map(
    rows.map(({ name, is_made: isMade, body, made }) => [name, { isMade, body, made: made ?? undefined }]),
  );
}
