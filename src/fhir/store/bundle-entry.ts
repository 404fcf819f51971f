import { getStatus } from '@medplum/core';
import type { FhirResponse } from '@medplum/fhir-router';
import type { BundleEntry, BundleEntryRequest, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { successOutcome } from '../operation-outcome.ts';
import { belowBase } from '../reference.ts';
import type { CallGuard } from './call-guard.ts';

/** What the entrance knows and the store does not: how a failure is written in an entry's response. */
export interface BundleOptions {
  /** The status and outcome of a failed entry of a batch. */
  readonly describeError: (error: unknown) => { readonly status: number; readonly outcome: OperationOutcome };
  /** What the caller wants back of each entry that writes (OP-32). */
  readonly returns: 'representation' | 'minimal' | 'OperationOutcome';
  /** Absent: the caller may do everything. */
  readonly guard?: CallGuard;
}

/** One entry of a batch or transaction, its request understood. */
export interface EntryCall {
  readonly index: number;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Relative to the base, with its query. */
  readonly url: string;
  readonly type: string;
  readonly id?: string;
  /** The query of a conditional update, or If-None-Exist. */
  readonly criteria?: string;
  readonly resource?: Resource;
  readonly fullUrl?: string;
  readonly ifMatch?: string;
}

const order = { DELETE: 0, POST: 1, PUT: 2, GET: 3 } as const;

/** FHIR's order of processing: deletes, creates, updates, reads. */
export function inProcessingOrder(calls: readonly EntryCall[]): EntryCall[] {
  return calls.toSorted((a, b) => order[a.method] - order[b.method]);
}

/** What an entry asks for, relative to the base: it may say so with the base, with a slash before it, or as it is. */
export function urlBelowBase(url: string, baseUrl: string): string {
  return belowBase(url, baseUrl) ?? url.replace(/^\//, '');
}

/** Understands one entry. Throws RESOURCE_INVALID, METHOD_NOT_ALLOWED or OPERATION_UNKNOWN, naming the entry. */
export function parseEntry(entry: BundleEntry, index: number, baseUrl: string): EntryCall {
  const at = `Bundle.entry[${index}]`;
  const { request, resource, fullUrl } = entry;
  if (!request?.method || !request.url)
    throw invalid(`${at}.request`, 'request.method and request.url are required in every entry.');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method === 'PATCH') {
    throw new PredictionError('METHOD_NOT_ALLOWED', `${at}: this server does not patch.`, {
      issues: [{ message: 'This server does not patch: PUT the whole resource.', expression: `${at}.request.method` }],
    });
  }
  const writes = method === 'POST' || method === 'PUT';
  const url = urlBelowBase(request.url, baseUrl);
  const [path = '', query] = splitOnce(url, '?');
  const [type = '', id, ...rest] = path.split('/');
  if (type === '' || path.split('/').some((part) => part.startsWith('$'))) {
    const message = 'Operations and Bundles do not run inside a Bundle; send them on their own.';
    throw new PredictionError('OPERATION_UNKNOWN', `${at}: ${message}`, {
      issues: [{ message, expression: `${at}.request.url` }],
    });
  }
  if (type === 'AuditEvent') {
    const message =
      'AuditEvents are not stored: they are made from the prediction log. Read and search them on their own, not in a Bundle.';
    throw new PredictionError('METHOD_NOT_ALLOWED', `${at}: ${message}`, {
      issues: [{ message, expression: `${at}.request.url` }],
    });
  }
  const search = method === 'POST' && id === '_search';
  if (writes && !search && !resource) throw invalid(`${at}.resource`, `${method} needs a resource.`);
  if (!writes && resource) throw invalid(`${at}.resource`, `${method} takes no resource.`);
  if (resource && resource.resourceType !== type)
    throw invalid(`${at}.resource`, `The resource must be a ${type}, as request.url says.`);
  const misplaced =
    (method === 'POST' && !search && id !== undefined) ||
    ((method === 'PUT' || method === 'DELETE') && rest.length > 0);
  if (misplaced) throw invalid(`${at}.request.url`, `${method} does not go to a URL of this form.`);
  if (method === 'DELETE' && id === undefined) {
    const message = 'Conditional delete is not supported: delete by Type/id.';
    throw new PredictionError('METHOD_NOT_ALLOWED', `${at}: ${message}`, {
      issues: [{ message, expression: `${at}.request.url` }],
    });
  }
  refuseStrayConditions(request, `${at}.request`, method === 'POST' && !search);
  if (query !== undefined && method !== 'GET' && !search && (method === 'POST' || id !== undefined))
    throw invalid(`${at}.request.url`, `A query has no meaning for this ${method}: leave it out.`);
  return {
    index,
    method,
    url,
    type,
    ...(id === undefined || search ? {} : { id }),
    ...(method === 'PUT' && id === undefined ? { criteria: query ?? '' } : {}),
    ...(request.ifNoneExist === undefined ? {} : { criteria: request.ifNoneExist }),
    ...(resource ? { resource } : {}),
    ...(fullUrl === undefined ? {} : { fullUrl }),
    ...(request.ifMatch === undefined ? {} : { ifMatch: request.ifMatch }),
  };
}

/** A condition that is not looked at must not pass as if it held. */
function refuseStrayConditions(request: BundleEntryRequest, at: string, creates: boolean): void {
  const { method, ifNoneMatch, ifModifiedSince, ifNoneExist, ifMatch } = request;
  if (ifNoneMatch !== undefined)
    throw invalid(`${at}.ifNoneMatch`, 'ifNoneMatch is not supported; ifNoneExist creates only what is not there.');
  if (ifModifiedSince !== undefined)
    throw invalid(`${at}.ifModifiedSince`, 'ifModifiedSince is not supported: leave it out.');
  if (ifNoneExist !== undefined && !creates)
    throw invalid(
      `${at}.ifNoneExist`,
      'ifNoneExist goes with a create only; a conditional PUT has its criteria in url.',
    );
  if (ifMatch !== undefined && method !== 'PUT' && method !== 'DELETE')
    throw invalid(`${at}.ifMatch`, 'ifMatch goes with PUT and DELETE only.');
}

/** An entry of a response. Location, ETag and time are those of the version that was written or read. */
export function responseEntry(
  call: EntryCall,
  [outcome, resource]: FhirResponse,
  baseUrl: string,
  options: BundleOptions,
): BundleEntry {
  const status = getStatus(outcome);
  const versioned = resource?.id !== undefined && resource.meta?.versionId !== undefined ? resource : undefined;
  const name = `${versioned?.resourceType}/${versioned?.id}`;
  const asked = call.method === 'GET' || call.resource === undefined;
  const withResource = asked || options.returns === 'representation';
  const told =
    !asked && versioned && options.returns === 'OperationOutcome' ? successOutcome(`${name} is stored.`) : undefined;
  return {
    ...(versioned && call.method !== 'DELETE' ? { fullUrl: `${baseUrl}/${name}` } : {}),
    ...(withResource && resource && resource.resourceType !== 'OperationOutcome' ? { resource } : {}),
    response: {
      status: `${status} ${status === 201 ? 'Created' : 'OK'}`,
      ...(versioned && call.method !== 'GET' ? { location: `${name}/_history/${versioned.meta?.versionId}` } : {}),
      ...(versioned ? { etag: `W/"${versioned.meta?.versionId}"`, lastModified: versioned.meta?.lastUpdated } : {}),
      ...(resource?.resourceType === 'OperationOutcome' ? { outcome: resource } : {}),
      ...(told === undefined ? {} : { outcome: told }),
    },
  };
}

function invalid(expression: string, message: string): PredictionError {
  return new PredictionError('RESOURCE_INVALID', `${expression}: ${message}`, { issues: [{ message, expression }] });
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
