import type { Resource } from '@medplum/fhirtypes';
import type { Response } from 'express';
import { stringifyFhirJson } from '../fhir/fhir-json.ts';
import { requestContext } from './request-context.ts';

/** Sends a resource in the media type the caller asked for, its decimals as they were given. */
export function sendResource(response: Response, status: number, resource: Resource): void {
  const { contentType, pretty } = requestContext(response);
  const body = stringifyFhirJson(resource, pretty ? 2 : undefined);
  response.status(status).setHeader('Content-Type', `${contentType}; charset=utf-8`);
  response.send(Buffer.from(body));
}
