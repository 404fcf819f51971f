import { createHash } from 'node:crypto';
import { getStatus } from '@medplum/core';
import type { FhirRouter } from '@medplum/fhir-router';
import type { CapabilityStatement, Resource } from '@medplum/fhirtypes';
import type { Request, RequestHandler, Response } from 'express';
import { successOutcome } from '../fhir/operation-outcome.ts';
import type { CallGuard } from '../fhir/store/call-guard.ts';
import { allowedMethods, createFhirRouter, runFhirCall } from '../fhir/store/fhir-router.ts';
import { indexRow } from '../fhir/store/index-row.ts';
import { processBundle } from '../fhir/store/process-bundle.ts';
import type { SqlRepository } from '../fhir/store/sql-repository.ts';
import { PredictionError } from '../platform/errors.ts';
import { fhirGuard } from './access/fhir-guard.ts';
import { preferredReturn } from './content-negotiation.ts';
import { entryAccesses } from './entry-accesses.ts';
import { describeError } from './error-response.ts';
import { readFormBody, readJsonBody } from './read-body.ts';
import { requestContext } from './request-context.ts';
import { sendResource } from './send-resource.ts';
import { subjectIdOf } from './subject-id-of.ts';

export interface FhirRoutesOptions {
  readonly repository: SqlRepository;
  readonly capabilityStatement: CapabilityStatement;
  readonly maxBodyBytes: number;
}

/** FHIR's REST interface over the store, relative to where it is mounted. Operations are mounted before it. */
export function fhirRoutes({ repository, capabilityStatement, maxBodyBytes }: FhirRoutesOptions): RequestHandler {
  const router = createFhirRouter();
  const statementTag = `W/"${createHash('sha256').update(JSON.stringify(capabilityStatement)).digest('hex').slice(0, 32)}"`;
  return async (request, response) => {
    const url = request.url.replace(/^\//, '');
    const path = decodedPath(url.split('?')[0] ?? '');
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    requestContext(response).route = `${request.baseUrl}/${patternOf(router, method, path)}`;
    if (path === 'metadata') {
      allowOnly(request, response, method, ['GET']);
      refuseOtherModes(url);
      response.setHeader('ETag', statementTag);
      if (callerHasVersion(request, response)) response.status(304).end();
      else sendResource(response, 200, capabilityStatement);
    } else if (path === '') {
      allowOnly(request, response, method, ['POST']);
      await answerBundle(router, request, response);
    } else await answerCall(method, `${path}${url.slice((url.split('?')[0] ?? '').length)}`, request, response);
  };

  async function answerBundle(fhirRouter: FhirRouter, request: Request, response: Response): Promise<void> {
    const bundle = await readJsonBody(request, maxBodyBytes);
    const { requestId } = requestContext(response);
    const guard = guardOf(response);
    const result = await processBundle(fhirRouter, repository, bundle, {
      ...(guard === undefined ? {} : { guard }),
      describeError: (error) => describeError(error, requestId),
      returns: preferredReturn(request.get('Prefer')),
    });
    requestContext(response).entries = entryAccesses(bundle, result, repository.context.baseUrl);
    sendResource(response, 200, result);
  }

  async function answerCall(method: string, url: string, request: Request, response: Response): Promise<void> {
    const allowed = allowedMethods(router, url);
    if (allowed.length > 0) allowOnly(request, response, method, allowed);
    const body = allowed.length > 0 ? await bodyOf(method, url, request) : undefined;
    if (typeof body === 'string') requestContext(response).form = body;
    const call = {
      method,
      url,
      body,
      ifMatch: request.get('If-Match'),
      ifNoneMatch: request.get('If-None-Match'),
      ifNoneExist: method === 'POST' ? request.get('If-None-Exist') : undefined,
    };
    const [outcome, resource = outcome] = await runFhirCall(router, repository, call, guardOf(response));
    const writes = method === 'PUT' || (method === 'POST' && !url.split('?')[0]?.endsWith('/_search'));
    describeVersion(response, resource, writes);
    const subject = subjectIdOf(resource);
    if (subject !== undefined) requestContext(response).subject = subject;
    if (method === 'GET' && callerHasVersion(request, response)) response.status(304).end();
    else answer(request, response, getStatus(outcome), resource, writes);
  }

  /** What the caller of this request may ask of the store. */
  function guardOf(response: Response): CallGuard | undefined {
    const { baseUrl, timeZone } = repository.context;
    return fhirGuard(requestContext(response).principal, (resource) => indexRow(resource, baseUrl, timeZone).patients);
  }

  async function bodyOf(method: string, url: string, request: Request): Promise<unknown> {
    if (method === 'POST' && url.split('?')[0]?.endsWith('/_search')) return readFormBody(request, maxBodyBytes);
    return method === 'POST' || method === 'PUT' ? readJsonBody(request, maxBodyBytes) : undefined;
  }

  function describeVersion(response: Response, resource: Resource, written: boolean): void {
    const { versionId, lastUpdated } = resource.meta ?? {};
    if (resource.id === undefined || versionId === undefined) return;
    response.setHeader('ETag', `W/"${versionId}"`);
    if (lastUpdated !== undefined) response.setHeader('Last-Modified', new Date(lastUpdated).toUTCString());
    const { baseUrl } = repository.context;
    if (written)
      response.setHeader('Location', `${baseUrl}/${resource.resourceType}/${resource.id}/_history/${versionId}`);
  }
}

/** OP-40: there is one statement, which is answered for every mode of R4. */
function refuseOtherModes(url: string): void {
  const mode = new URLSearchParams(url.split('?')[1] ?? '').get('mode');
  if (mode === null || ['full', 'normative', 'terminology'].includes(mode)) return;
  throw new PredictionError('PARAMETER_INVALID', 'mode must be full, normative or terminology; all give the same.', {
    issues: [{ message: 'mode must be full, normative or terminology; all give the same.', expression: 'http.mode' }],
  });
}

/** Conditional read: If-None-Match, else If-Modified-Since, against the version that was read. */
function callerHasVersion(request: Request, response: Response): boolean {
  const etag = response.getHeader('ETag');
  const ifNoneMatch = request.get('If-None-Match');
  if (typeof etag !== 'string') return false;
  if (ifNoneMatch !== undefined)
    return ifNoneMatch.split(',').some((tag) => ['*', etag, etag.slice(2)].includes(tag.trim()));
  const since = Date.parse(request.get('If-Modified-Since') ?? '');
  return Date.parse(String(response.getHeader('Last-Modified'))) <= since;
}

function answer(request: Request, response: Response, status: number, resource: Resource, written: boolean): void {
  const preferred = written ? preferredReturn(request.get('Prefer')) : 'representation';
  if (preferred === 'OperationOutcome') {
    sendResource(response, status, successOutcome(`${resource.resourceType}/${resource.id} is stored.`));
  } else if (preferred === 'minimal') {
    response.status(status).setHeader('Content-Type', `${requestContext(response).contentType}; charset=utf-8`);
    response.end();
  } else sendResource(response, status, resource);
}

function allowOnly(request: Request, response: Response, method: string, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  const methods = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed;
  response.setHeader('Allow', methods.join(', '));
  request.resume();
  throw new PredictionError(
    'METHOD_NOT_ALLOWED',
    `${request.method} is not possible here; allowed are ${methods.join(', ')}.`,
  );
}

/** The route for the log: names of interactions, and nothing that a caller wrote. */
function patternOf(router: FhirRouter, method: string, path: string): string {
  const route = router.router.find(method as 'GET', path);
  if (path === 'metadata' || path === '') return path;
  return route === undefined
    ? '*'
    : route.path
        .split('/')
        .map((part, index) => patternPart(part, index))
        .join('/');
}

function patternPart(part: string, index: number): string {
  if (part === '_history' || part === '_search') return part;
  return [':type', ':id', '', ':version'][index] ?? '*';
}

/**
 * Throws OPERATION_UNKNOWN for a part that is several, or has a query, once it is decoded: the account of requests splits before it
 * decodes, and must name what was served.
 */
function decodedPath(path: string): string {
  return path
    .split('/')
    .map((part) => {
      const decoded = decodeURIComponent(part);
      if (/[/?#\\]/.test(decoded)) throw new PredictionError('OPERATION_UNKNOWN', encodedSeparator);
      return decoded;
    })
    .join('/');
}

const encodedSeparator =
  'A part of the path must not hold an encoded slash, backslash, question mark or number sign: send them as they are.';
