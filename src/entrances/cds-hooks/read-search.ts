import type { Bundle, Resource } from '@medplum/fhirtypes';
import { referredFrom } from '../../fhir/referred-types.ts';
import type { ErrorIssue } from '../../platform/errors.ts';
import type { BegunAnswer, Seed } from '../../prediction/prediction-request.ts';
import { invalidBody } from './check-body.ts';
import { type FailedSearch, failedSearch, hasFailed } from './failed-search.ts';

/** Findings against base R4; empty where the value is valid. */
export type Findings = (value: unknown, path: string) => ErrorIssue[];

export interface SearchQuestion {
  /** What was searched for. */
  readonly type: string;
  readonly findings: Findings;
  /** Called between entries, and awaited where it gives something to await. */
  readonly giveWay: () => Promise<void> | undefined;
}

/**
 * What a Bundle says of a search: all that there is, a first page with a link to the next one, or that it failed; `partial`
 * where it is no complete answer and nothing says where the rest is.
 */
export type SearchAnswer = readonly Seed[] | BegunAnswer | FailedSearch | 'partial';

/** An entry whose form is checked, but not yet its resource. */
interface Entry {
  readonly resource?: { readonly resourceType: string };
  readonly mode: string | undefined;
  readonly failed: boolean;
}

/**
 * The resources of a Bundle that answer a search. It is no complete answer where it goes on on another page, gives fewer
 * matches than it counts, or left something out; one that holds an error has failed, whatever else it holds. Each resource of the searched type is
 * checked by the path alone; of what was included only the Medications of orders and the
 * Endpoints of imaging studies say something.
 * @throws PARAMETER_INVALID for what is no search in FHIR R4, or has matches of another type
 */
export async function readSearch(
  bundle: Readonly<Record<string, unknown>>,
  path: string,
  { type, findings, giveWay }: SearchQuestion,
): Promise<SearchAnswer> {
  const { entry: entries = [], ...rest } = bundle;
  if (!isNonEmptyList(entries) && bundle.entry !== undefined)
    throw refused(`${path}.entry`, `${path}.entry must be a list that is not empty, or left out.`);
  const found = findings(rest, path);
  if (found.length > 0) throw invalidBody(found);
  const search = rest as unknown as Bundle;
  if (search.type !== 'searchset' && search.type !== 'collection')
    throw refused(`${path}.type`, `${path} must be a Bundle of type searchset or collection.`);
  if (isPart(search)) return 'partial';

  const held: Seed[] = [];
  const matches = new Set<string>();
  let isPartial = false;
  for (const [index, value] of (entries as readonly unknown[]).entries()) {
    const turn = giveWay();
    if (turn !== undefined) await turn;
    const { resource, mode, failed } = checkedEntry(value, { path, index }, findings);
    if (failed) isPartial = true;
    if (resource === undefined) {
      if (mode !== 'outcome') isPartial = true;
      continue;
    }
    const seed = { resource: resource as Resource, expression: `${path}.entry[${index}].resource` };
    if (resource.resourceType === type) {
      if (isPart(seed.resource)) isPartial = true;
      if (mode !== 'include') matches.add(seed.resource.id ?? `#${index}`);
      held.push(seed);
    } else if (resource.resourceType === referredFrom(type)) {
      if (isPart(seed.resource)) isPartial = true;
      held.push(seed);
    } else {
      const broken = findings(resource, seed.expression);
      if (broken.length > 0) throw invalidBody(broken);
      if (seed.resource.resourceType === 'OperationOutcome') {
        if (hasFailed(seed.resource)) return failedSearch(seed.resource);
      } else if (mode !== 'include') {
        throw refused(seed.expression, `${seed.expression} is a ${resource.resourceType}; ${path} asks for ${type}.`);
      }
    }
  }
  if (isPartial) return 'partial';
  const next = (search.link ?? []).find(({ relation }) => relation === 'next');
  const { total } = search;
  if (next !== undefined) return { seeds: held, next: next.url, ...(total === undefined ? {} : { total }) };
  return total !== undefined && matches.size < total ? 'partial' : held;
}

/** A server that was asked for parts of resources says so. */
export function isPart({ meta }: Resource): boolean {
  const tags: unknown = meta?.tag;
  return Array.isArray(tags) && tags.some((tag: { code?: unknown } | null) => tag?.code === 'SUBSETTED');
}

const modes: ReadonlySet<unknown> = new Set(['match', 'include', 'outcome']);

interface Place {
  /** Of the Bundle. */
  readonly path: string;
  readonly index: number;
}

/** What most entries consist of is checked by hand; a rare one as the only entry of a Bundle. */
function checkedEntry(value: unknown, { path: bundle, index }: Place, findings: Findings): Entry {
  const path = `${bundle}.entry[${index}]`;
  if (!isObject(value)) throw refused(path, `${path} must be an object.`);
  const { resource, search, ...rest } = value;
  const { fullUrl, ...rare } = rest;
  if (resource !== undefined && (!isObject(resource) || typeof resource.resourceType !== 'string'))
    throw refused(`${path}.resource`, `${path}.resource must be a resource of FHIR R4.`);
  const mode = isObject(search) && Object.keys(search).length === 1 ? search.mode : undefined;
  const isUsual = Object.keys(rare).length === 0 && (search === undefined || modes.has(mode)) && isUrl(fullUrl);
  if (!isUsual || (resource === undefined && search === undefined)) {
    const shell = {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ ...rest, ...(search !== undefined && { search }) }],
    };
    const found = findings(shell, bundle);
    const here = (text: string): string => text.replaceAll(`${bundle}.entry[0]`, path);
    if (found.length > 0)
      throw invalidBody(
        found.map(({ message, expression, ...issue }) => ({
          ...issue,
          message: here(message),
          ...(expression === undefined ? {} : { expression: here(expression) }),
        })),
      );
  }
  const { response } = rest as { response?: { status?: string } };
  return {
    ...(resource === undefined ? {} : { resource: resource as { resourceType: string } }),
    mode: (search as { mode?: string } | undefined)?.mode,
    failed: response?.status !== undefined && !response.status.startsWith('2'),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNonEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function isUrl(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && /^[!-~]{1,2048}$/.test(value));
}

function refused(expression: string, message: string) {
  return invalidBody([{ code: 'value', message, expression }]);
}
