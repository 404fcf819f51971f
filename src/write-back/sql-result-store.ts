import type { Meta, Resource } from '@medplum/fhirtypes';
import { changeMeta } from '../fhir/store/change-meta.ts';
import { insertRows } from '../fhir/store/insert-new.ts';
import { parseBody, readResource } from '../fhir/store/read-resource.ts';
import { readWithMade, type WithMade } from '../fhir/store/read-with-made.ts';
import { requireSubject } from '../fhir/store/require-subject.ts';
import { resourceRow, sameBeyondMeta } from '../fhir/store/resource-row.ts';
import { stamped, withCarriedMeta } from '../fhir/store/stamped.ts';
import type { SqlRepositoryOptions, StoreContext } from '../fhir/store/store-context.ts';
import { createResource, updateResource } from '../fhir/store/write-resource.ts';
import type { Sql } from '../platform/database.ts';
import { type ErrorCode, PredictionError } from '../platform/errors.ts';
import { inSlices } from './in-slices.ts';
import type { Found, ResultStore, Stored } from './result-store.ts';
import { saysTheSame } from './says-the-same.ts';
import { metaWithSupersededTag } from './superseded-tag.ts';

/** The own FHIR store as write-back sees it, on the transaction that also keeps the outcome. */
export function openSqlResultStore(
  options: Omit<SqlRepositoryOptions, 'database' | 'tenant'>,
  sql: Sql,
  tenant: string,
): ResultStore {
  const context: StoreContext = { ...options, sql, tenant, inTransaction: (work) => work(context) };
  return {
    draft<Kind extends Resource>(given: Kind, checked = false) {
      if (!checked) refusing(() => options.validator.validate(given));
      refusing(() => requireSubject(given, options.baseUrl));
      const resource = stamped(context, given, options.newId(), 1) as Stored<Kind>;
      return { resource, row: resourceRow(context, resource) };
    },
    async lock(type, ids) {
      await sql.query(
        `select 1 from resources where tenant = $1 and type = $2 and id = any($3::text[]) order by id for update`,
        [tenant, type, ids],
      );
    },
    async read(names) {
      const rows = await readWithMade(context, names);
      return new Map(await inSlices([...rows], ([name, row]) => [name, found(row)] as const));
    },
    async insert(drafts) {
      const stored = new Set(
        await insertRows(
          context,
          drafts.map(({ row }) => row),
        ),
      );
      const taken = drafts.find(({ resource: { resourceType, id } }) => !stored.has(`${resourceType}/${id}`));
      if (taken === undefined) return;
      throw new PredictionError('INTERNAL', `A new ${taken.resource.resourceType} got an id that is taken.`);
    },
    async amend<Kind extends Resource>(given: Stored<Kind>, superseded: boolean) {
      const { meta: before } = await readResource(context, given.resourceType, given.id);
      const { meta = {}, ...carried } = withCarriedMeta(given, before);
      const whole = { ...carried, meta: metaWithSupersededTag(meta, superseded) } as Stored<Kind>;
      const { resource } = await rejecting(updateResource(context, whole, undefined, { replaceMeta: true }));
      return resource as Stored<Kind>;
    },
    async createWithIdIfAbsent<Kind extends Resource>(resource: Stored<Kind>) {
      try {
        const { resource: stored } = await rejecting(createResource(context, resource, resource.id));
        return stored as Stored<Kind>;
      } catch (error) {
        if (!hasCode(error, 'VERSION_CONFLICT')) throw error;
        return (await readOrRestore(context, resource)) as Stored<Kind>;
      }
    },
    async tagSuperseded(wanted) {
      const changed = new Map<string, Meta>();
      for (const type of ['RiskAssessment', 'Observation', 'DiagnosticReport'] as const) {
        const ids = [...wanted.keys()]
          .filter((name) => name.startsWith(`${type}/`))
          .map((name) => name.slice(type.length + 1));
        if (ids.length === 0) continue;
        const metas = await changeMeta(context, type, ids, (meta, id) => {
          const tagged = metaWithSupersededTag(meta, wanted.get(`${type}/${id}`) ?? false);
          return tagged === meta ? undefined : tagged;
        });
        for (const [id, meta] of metas) changed.set(`${type}/${id}`, meta);
      }
      return changed;
    },
  };
}

function found({ body, isMade, made }: WithMade): Found {
  const resource = parseBody(body) as Stored<Resource>;
  return {
    resource,
    saysWhatWasMade: (apartFrom) =>
      isMade ||
      (made !== undefined &&
        (sameBeyondMeta(resource, body, made) || saysTheSame(resource, parseBody(made), [...apartFrom, 'meta']))),
  };
}

async function readOrRestore(context: StoreContext, resource: Stored<Resource>): Promise<Resource> {
  try {
    return await readResource(context, resource.resourceType, resource.id);
  } catch (error) {
    if (!hasCode(error, 'RESOURCE_UNKNOWN', 'RESOURCE_DELETED')) throw error;
    return (await rejecting(updateResource(context, resource))).resource;
  }
}

/** A resource the store will not have is a rejected write, whatever its reason. */
async function rejecting<Result>(write: Promise<Result>): Promise<Result> {
  try {
    return await write;
  } catch (error) {
    throw rejected(error);
  }
}

function refusing(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw rejected(error);
  }
}

function rejected(error: unknown): unknown {
  if (!(error instanceof PredictionError) || error.code !== 'RESOURCE_INVALID') return error;
  const message = `The store refuses the result, and nothing was kept: ${error.message}`;
  return new PredictionError('WRITE_REJECTED', message, { issues: error.issues, cause: error });
}

function hasCode(error: unknown, ...codes: ErrorCode[]): boolean {
  return error instanceof PredictionError && codes.includes(error.code);
}
