import { allOk, created } from '@medplum/core';
import {
  type FhirRepository,
  type FhirRequest,
  type FhirResponse,
  type FhirRouteHandler,
  FhirRouter,
  type HttpMethod,
} from '@medplum/fhir-router';
import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { successOutcome } from '../operation-outcome.ts';
import { isFhirId } from '../reference.ts';
import { resourceTypes } from '../resource-types.ts';
import type { AskedInteraction, CallGuard } from './call-guard.ts';
import { refused, shown } from './parse-search.ts';
import { SqlRepository } from './sql-repository.ts';

/** A request of FHIR's REST interface, from HTTP or from an entry of a Bundle. */
export interface FhirCall {
  readonly method: string;
  /** Relative to the base, with its query and without a leading slash: `Patient/17`, `Patient?_id=17`. */
  readonly url: string;
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly ifNoneExist?: string;
}

/**
 * Medplum's FhirRouter with the routes this server offers. Its own handlers stay where they lose nothing: read and vread.
 * The others are replaced, since they read queries loosely, skip a malformed If-Match and answer 200 to a PUT that
 * creates; those without a replacement (patch, GraphQL, conditional delete, search over all types) go.
 */
export function createFhirRouter(): FhirRouter {
  const router = new FhirRouter();
  const { routes } = router.router;
  routes.splice(
    0,
    routes.length,
    ...routes.filter((route) => ['read', 'vread'].includes(route.data?.interaction ?? '')),
  );
  router.add('GET', ':resourceType', searchByQuery, 'search-type');
  router.add('POST', ':resourceType/_search', searchByForm, 'search-type');
  router.add('POST', ':resourceType', create, 'create');
  router.add('PUT', ':resourceType/:id', update, 'update');
  router.add('PUT', ':resourceType', updateWhere, 'update');
  router.add('DELETE', ':resourceType/:id', remove, 'delete');
  router.add('GET', ':resourceType/:id/_history', history, 'history-instance');
  return router;
}

const methods: readonly HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The methods that exist for a path; none where the path does not exist. */
export function allowedMethods(router: FhirRouter, url: string): HttpMethod[] {
  return methods.filter((method) => findRoute(router, method, url) !== undefined);
}

/**
 * Runs one call. Throws PredictionErrors; what cannot be understood in the call is refused.
 * @param guard absent: the caller may do everything
 */
export async function runFhirCall(
  router: FhirRouter,
  repository: SqlRepository,
  call: FhirCall,
  guard?: CallGuard,
): Promise<FhirResponse> {
  const route = findRoute(router, call.method as HttpMethod, call.url);
  if (!route) throw noRoute(router, call);
  const { resourceType = '', id } = route.params;
  if (id !== undefined && !isFhirId(id)) {
    const message = `'${shown(id)}' is not an id: 1 to 64 letters, digits, dashes and dots.`;
    throw new PredictionError(call.method === 'PUT' ? 'RESOURCE_INVALID' : 'RESOURCE_UNKNOWN', message);
  }
  const query = route.query ?? {};
  const searches =
    ['search-type', 'history-instance'].includes(route.data?.interaction ?? '') || route.handler === updateWhere;
  const stray = searches ? undefined : Object.keys(query).find((name) => name !== '_format' && name !== '_pretty');
  if (stray !== undefined)
    throw refused(
      stray,
      `'${shown(stray)}' means nothing for ${call.method} ${resourceType}; allowed are _format and _pretty.`,
    );
  const headers = { 'if-match': call.ifMatch, 'if-none-match': call.ifNoneMatch, 'if-none-exist': call.ifNoneExist };
  const request: FhirRequest = {
    method: call.method as HttpMethod,
    url: call.url,
    pathname: route.path,
    params: route.params,
    query,
    body: call.body,
    headers: headers as FhirRequest['headers'],
  };
  if (guard === undefined) return route.handler(request, repository, router);
  const asked = askedOf(request, route.data?.interaction, id, route.handler === updateWhere);
  guard.before(asked);
  const answered = await route.handler(request, repository, router);
  const [outcome, answer, ...options] = answered;
  const seen = guard.after(asked, answer);
  return seen === undefined ? answered : [outcome, seen, ...options];
}

/** A call as a guard sees it: by the route that will answer it. */
function askedOf(
  { params, query, body, headers }: FhirRequest,
  interaction: string | undefined,
  id: string | undefined,
  isConditionalUpdate: boolean,
): AskedInteraction {
  const form = interaction === 'search-type' && typeof body === 'string' ? [...new URLSearchParams(body)] : [];
  const writes = interaction === 'create' || interaction === 'update';
  return {
    interaction: interaction as AskedInteraction['interaction'],
    type: params.resourceType ?? '',
    ...(id === undefined ? {} : { id }),
    ...(params.vid === undefined ? {} : { versionId: params.vid }),
    conditional: isConditionalUpdate || headerOf(headers, 'if-none-exist') !== undefined,
    versioned: headerOf(headers, 'if-match') !== undefined,
    query: [...pairs(query), ...form],
    ...(writes ? { resource: resourceOf(body, params.resourceType) } : {}),
  };
}

/** The version in an If-Match header, `W/"3"` or `"3"`. A header that is not understood must never pass as none. */
export function parseIfMatch(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const version = /^\s*(?:W\/)?"([^"]+)"\s*$/.exec(header)?.[1];
  if (version !== undefined) return version;
  throw refused('If-Match', `If-Match must be one version, as W/"3", not '${shown(header)}'.`);
}

function findRoute(router: FhirRouter, method: HttpMethod, url: string) {
  const route = router.find(method, url);
  const { resourceType, id } = route?.params ?? {};
  if (!route || resourceType === undefined || !resourceTypes.has(resourceType)) return undefined;
  return id?.startsWith('$') || id?.startsWith('_') ? undefined : route;
}

function noRoute(router: FhirRouter, { method, url }: FhirCall): PredictionError {
  const allowed = allowedMethods(router, url);
  const path = url.split('?')[0] ?? '';
  if (allowed.length > 0) {
    return new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${shown(method)} is not possible here; allowed are ${allowed.join(', ')}.`,
    );
  }
  const type = path.split('/')[0] ?? '';
  const what = path.includes('$')
    ? 'There is no such operation here'
    : resourceTypes.has(type)
      ? `There is no such interaction on ${type}`
      : `There is no resource type '${shown(type)}' in FHIR R4`;
  return new PredictionError('OPERATION_UNKNOWN', `${what}; /metadata lists what this server does.`);
}

const searchByQuery: FhirRouteHandler = async ({ params, query }, repository) => {
  return [allOk, await sql(repository).searchByQuery(params.resourceType ?? '', pairs(query))];
};

const searchByForm: FhirRouteHandler = async ({ params, query, body }, repository) => {
  const form = new URLSearchParams(typeof body === 'string' ? body : '');
  return [allOk, await sql(repository).searchByQuery(params.resourceType ?? '', [...pairs(query), ...form])];
};

const create: FhirRouteHandler = async ({ params, body, headers }, repository) => {
  const resource = resourceOf(body, params.resourceType);
  const criteria = headerOf(headers, 'if-none-exist');
  if (criteria === undefined) return [created, (await sql(repository).create(resource)).resource];
  const written = await sql(repository).createIfNoneExist(resource, criteria);
  return [written.unchanged ? allOk : created, written.resource];
};

const update: FhirRouteHandler = async ({ params, body, headers }, repository) => {
  refuseIfNoneMatch(headers);
  const resource = resourceOf(body, params.resourceType);
  if (resource.id !== params.id) {
    const message = `The body's id is ${resource.id === undefined ? 'missing' : `'${shown(String(resource.id))}'`}; it must be '${params.id}', as in the URL.`;
    throw new PredictionError('RESOURCE_INVALID', message, {
      issues: [{ message, expression: `${params.resourceType}.id` }],
    });
  }
  const written = await sql(repository).update(resource, parseIfMatch(headerOf(headers, 'if-match')));
  return [written.created ? created : allOk, written.resource];
};

const updateWhere: FhirRouteHandler = async ({ params, query, body, headers }, repository) => {
  refuseIfNoneMatch(headers);
  const criteria = new URLSearchParams(
    pairs(query).filter(([name]) => name !== '_format' && name !== '_pretty'),
  ).toString();
  const ifMatch = parseIfMatch(headerOf(headers, 'if-match'));
  const written = await sql(repository).updateWhere(resourceOf(body, params.resourceType), criteria, ifMatch);
  return [written.created ? created : allOk, written.resource];
};

const remove: FhirRouteHandler = async ({ params, headers }, repository) => {
  const { resourceType = '', id = '' } = params;
  await repository.deleteResource(resourceType, id, { ifMatch: parseIfMatch(headerOf(headers, 'if-match')) });
  return [allOk, successOutcome(`${resourceType}/${id} is deleted.`)];
};

const history: FhirRouteHandler = async ({ params, query }, repository) => {
  return [allOk, await sql(repository).historyByQuery(params.resourceType ?? '', params.id ?? '', pairs(query))];
};

function sql(repository: FhirRepository): SqlRepository {
  if (repository instanceof SqlRepository) return repository;
  throw new PredictionError('INTERNAL', 'The FHIR router runs over the SQL repository only.');
}

function pairs(query: FhirRequest['query']): [string, string][] {
  return Object.entries(query).flatMap(([name, value]) =>
    [value ?? ''].flat().map((one): [string, string] => [name, one]),
  );
}

function headerOf(headers: FhirRequest['headers'], name: string): string | undefined {
  const value = headers?.[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function refuseIfNoneMatch(headers: FhirRequest['headers']): void {
  if (headerOf(headers, 'if-none-match') === undefined) return;
  throw refused(
    'If-None-Match',
    'If-None-Match is not supported for an update; use a conditional create, or If-Match.',
  );
}

/** The body as a resource of the URL's type; the repository checks the rest. */
function resourceOf(body: unknown, type: string | undefined): Resource {
  const given =
    typeof body === 'object' && body !== null ? (body as { resourceType?: unknown }).resourceType : undefined;
  if (given === type) return body as Resource;
  const message = `The body must be a ${type}, as the URL says; its resourceType is ${typeof given === 'string' ? `'${shown(given)}'` : 'missing'}.`;
  throw new PredictionError('RESOURCE_INVALID', message, {
    issues: [{ message, code: 'structure', expression: 'Resource' }],
  });
}
