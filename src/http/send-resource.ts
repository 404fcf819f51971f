import type { Resource } from '@medplum/fhirtypes';
import type { Response } from 'express';
import { stringifyFhirJson } from '../fhir/fhir-json.ts';
import { requestContext } from './request-context.ts';

/** Sends a resource in the media type the caller asked for, its decimals as they were given. */
export function sendResource(response: Response, status: number, resource: Resource): void {
  const { pretty } = requestContext(response);
  sendText(response, status, stringifyFhirJson(resource, pretty ? 2 : undefined));
}

/** The same for a resource that this server made itself: its numbers have no other text than their own. */
export function sendOwnResource(response: Response, status: number, resource: Resource): void {
  const { pretty } = requestContext(response);
  sendText(response, status, JSON.stringify(resource, undefined, pretty ? 2 : undefined));
}

/** Sends a text that is made already. @param contentType without the charset; by default what the caller asked for */
export function sendText(
  response: Response,
  status: number,
  text: string,
  contentType = requestContext(response).contentType,
): void {
  response.status(status).setHeader('Content-Type', `${contentType}; charset=utf-8`);
  // What answers a POST is no representation that could be asked for again: Express would hash it for an ETag.
  if (response.req.method !== 'POST') response.send(Buffer.from(text));
  else response.setHeader('Content-Length', Buffer.byteLength(text)).end(text);
}
