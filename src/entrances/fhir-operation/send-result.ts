import type { Resource } from '@medplum/fhirtypes';
import type { Response } from 'express';
import { successOutcome } from '../../fhir/operation-outcome.ts';
import type { PreferredReturn } from '../../http/content-negotiation.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendOwnResource } from '../../http/send-resource.ts';

/**
 * Sends a result as the caller prefers it (OP-32). One that is not stored is sent whole, whatever is preferred: nobody could
 * read it later. A stored one comes with Location, ETag and Last-Modified.
 * @param baseUrl absolute FHIR base of the own store
 */
export function sendResult(response: Response, result: Resource, preferred: PreferredReturn, baseUrl: string): void {
  const { id, meta } = result;
  const isStored = id !== undefined && meta?.versionId !== undefined;
  const name = `${result.resourceType}/${id}`;
  if (isStored) {
    response.setHeader('Location', `${baseUrl}/${name}/_history/${meta.versionId}`);
    response.setHeader('ETag', `W/"${meta.versionId}"`);
    if (meta.lastUpdated !== undefined) response.setHeader('Last-Modified', new Date(meta.lastUpdated).toUTCString());
  }
  if (!isStored || preferred === 'representation') sendOwnResource(response, 200, result);
  else if (preferred === 'OperationOutcome') sendOwnResource(response, 200, successOutcome(`${name} is stored.`));
  else {
    response.status(200).setHeader('Content-Type', `${requestContext(response).contentType}; charset=utf-8`);
    response.end();
  }
}
