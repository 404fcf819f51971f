import type { Resource } from '@medplum/fhirtypes';
import { deliveryFailure, unexpectedAnswer } from './delivery-failure.ts';
import { type Failed, type SinkServer, versionOfTag } from './fhir-sink-server.ts';

/** A resource as the sink has it now. */
export interface FoundThere {
  /** Undefined where it is gone. */
  readonly resource?: Resource;
  /** Of the resource itself, or of the ETag; undefined where the sink says none. */
  readonly version?: string;
}

/** Reads one resource at the sink. @param reference `Type/id` */
export async function readThere(server: SinkServer, reference: string): Promise<FoundThere | Failed> {
  const answer = await server.call({ method: 'GET', path: reference });
  if (answer.kind === 'answered' && (answer.status === 404 || answer.status === 410)) return {};
  if (answer.kind === 'silent' || answer.status !== 200) return deliveryFailure(answer);
  const resource = answer.body as Resource | undefined;
  if (resource === undefined || `${resource.resourceType}/${resource.id}` !== reference)
    return unexpectedAnswer(200, 'a read gave another resource');
  const version = resource.meta?.versionId ?? versionOfTag(answer.etag);
  return { resource, ...(version === undefined ? {} : { version }) };
}
