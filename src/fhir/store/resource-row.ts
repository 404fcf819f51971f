import type { Meta, Resource } from '@medplum/fhirtypes';
import { stringifyFhirJson } from '../fhir-json.ts';
import { type IndexRow, indexRow } from './index-row.ts';
import type { StoreContext } from './store-context.ts';

type Stored = Resource & { id: string };

/** One version of a resource as the tables hold it: its search columns, and the resource as JSON text. */
export interface ResourceRow {
  readonly type: string;
  readonly id: string;
  /** ISO 8601. */
  readonly lastUpdated: string | undefined;
  readonly index: IndexRow;
  readonly body: string;
}

/** Reads the columns out of a stamped resource and serialises it: the costly part of storing it, before any statement. */
export function resourceRow(context: Pick<StoreContext, 'baseUrl' | 'timeZone'>, resource: Stored): ResourceRow {
  return {
    type: resource.resourceType,
    id: resource.id,
    lastUpdated: resource.meta?.lastUpdated,
    index: indexRow(resource, context.baseUrl, context.timeZone),
    body: stringifyFhirJson(resource),
  };
}

/** The row of the same resource with another meta; no search column depends on it. */
export function rowWithMeta(row: ResourceRow, resource: Stored, meta: Meta): ResourceRow {
  const head = bodyHead(row, resource.meta ?? {});
  const body = row.body.startsWith(head)
    ? bodyHead(row, meta) + row.body.slice(head.length)
    : stringifyFhirJson({ ...resource, meta });
  return { ...row, lastUpdated: meta.lastUpdated, body };
}

/** How the text of every stamped resource begins, so that its meta can be exchanged without reading the rest. */
export function bodyHead({ type, id }: { readonly type: string; readonly id: string }, meta: Meta): string {
  return `{"resourceType":${JSON.stringify(type)},"id":${JSON.stringify(id)},"meta":${stringifyFhirJson(meta)}`;
}

/** True where two texts of a stamped resource are the same but for `meta`; false says nothing. */
export function sameBeyondMeta(current: Stored, body: string, other: string): boolean {
  const head = bodyHead({ type: current.resourceType, id: current.id }, current.meta ?? {});
  const tail = body.slice(head.length);
  if (!body.startsWith(head) || !other.endsWith(tail)) return false;
  try {
    const rest = JSON.parse(`${other.slice(0, other.length - tail.length)}}`) as Record<string, unknown>;
    return Object.keys(rest).every((name) => name === 'resourceType' || name === 'id' || name === 'meta');
  } catch {
    return false; // cut elsewhere than behind meta: the caller compares in full
  }
}
