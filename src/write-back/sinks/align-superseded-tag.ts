import type { DocumentReference, Parameters, Resource } from '@medplum/fhirtypes';
import { metaWithSupersededTag, supersededTag } from '../superseded-tag.ts';
import type { RemoteResource } from './delivery.ts';
import { deliveryFailure, unexpectedAnswer } from './delivery-failure.ts';
import { type Failed, holdsIdentifier, type SinkServer } from './fhir-sink-server.ts';

/**
 * Brings the tag of a delivered resource in line with the result, on the version that the sink has now: what its people
 * wrote into it stays. A resource that is gone there needs no tag; one that shall be current again is missing.
 */
export async function alignSupersededTag(
  server: SinkServer,
  { reference }: RemoteResource,
  identifier: { readonly system: string; readonly value: string },
  superseded: boolean,
): Promise<RemoteResource | Failed> {
  const found = await read(server, reference);
  if ('kind' in found) return found;
  const gone = found.resource === undefined || !holdsIdentifier(found.resource, identifier);
  if (gone && superseded) return { reference };
  if (gone || found.resource === undefined) {
    const text = 'The sink no longer holds the resource that its receipt names; re-drive to create it anew.';
    return { kind: 'dead', error: { reason: 'gone', text } };
  }
  if (isTagged(found.resource) === superseded) return versionOf(reference, found.resource);
  const answer = await server.call({
    method: 'PUT',
    path: reference,
    body: retagged(found.resource, superseded),
    headers: found.version === undefined ? {} : { 'if-match': `W/"${found.version}"` },
  });
  if (answer.kind === 'silent' || answer.status < 200 || answer.status > 299) return deliveryFailure(answer);
  // Most servers keep tags on an update that leaves them out.
  return superseded ? await reread(server, reference, true) : await withoutTag(server, reference);
}

async function withoutTag(server: SinkServer, reference: string): Promise<RemoteResource | Failed> {
  const first = await reread(server, reference, false);
  if (!('kind' in first) || first.error.reason !== 'unexpected-answer') return first;
  const parameters: Parameters = {
    resourceType: 'Parameters',
    parameter: [{ name: 'meta', valueMeta: { tag: [{ system: supersededTag.system, code: supersededTag.code }] } }],
  };
  const answer = await server.call({ method: 'POST', path: `${reference}/$meta-delete`, body: parameters });
  const again = await reread(server, reference, false);
  if (!('kind' in again) || again.error.reason !== 'unexpected-answer') return again;
  const transient = answer.kind === 'silent' || [401, 408, 429, 500, 502, 503, 504].includes(answer.status);
  if (transient) return deliveryFailure(answer);
  const text =
    'The result stands again, but the sink keeps its tag "superseded": an update does not remove it there, and ' +
    '$meta-delete is not supported. Remove the tag there, then re-drive.';
  return { kind: 'dead', error: { reason: 'keeps-tag', status: answer.status, text } };
}

async function reread(server: SinkServer, reference: string, superseded: boolean): Promise<RemoteResource | Failed> {
  const found = await read(server, reference);
  if ('kind' in found) return found;
  if (found.resource === undefined || isTagged(found.resource) === superseded)
    return versionOf(reference, found.resource);
  const what = superseded ? 'it does not keep the tag "superseded"' : 'it keeps the tag "superseded": remove it there';
  return unexpectedAnswer(200, what);
}

async function read(
  server: SinkServer,
  reference: string,
): Promise<{ readonly resource?: Resource; readonly version?: string } | Failed> {
  const answer = await server.call({ method: 'GET', path: reference });
  if (answer.kind === 'answered' && (answer.status === 404 || answer.status === 410)) return {};
  if (answer.kind === 'silent' || answer.status !== 200) return deliveryFailure(answer);
  const resource = answer.body as Resource | undefined;
  if (`${resource?.resourceType}/${resource?.id}` !== reference) {
    return unexpectedAnswer(200, 'a read gave another resource');
  }
  const version = resource?.meta?.versionId ?? /"([^"]+)"/.exec(answer.etag ?? '')?.[1];
  return { ...(resource === undefined ? {} : { resource }), ...(version === undefined ? {} : { version }) };
}

function versionOf(reference: string, resource: Resource | undefined): RemoteResource {
  const version = resource?.meta?.versionId;
  return { reference, ...(version === undefined ? {} : { version }) };
}

function isTagged({ meta = {} }: Resource): boolean {
  return metaWithSupersededTag(meta, true) === meta;
}

function retagged(resource: Resource, superseded: boolean): Resource {
  const copy = { ...resource, meta: metaWithSupersededTag(resource.meta ?? {}, superseded) };
  if (copy.resourceType !== 'DocumentReference') return copy;
  return { ...copy, status: superseded ? 'superseded' : 'current' } satisfies DocumentReference;
}
