import type { DocumentReference, Parameters, Resource } from '@medplum/fhirtypes';
import { metaWithSupersededTag, supersededTag } from '../superseded-tag.ts';
import type { RemoteResource } from './delivery.ts';
import { deliveryFailure, unexpectedAnswer } from './delivery-failure.ts';
import { type Failed, holdsIdentifier, isFailed, remoteResource, type SinkServer } from './fhir-sink-server.ts';
import { readThere } from './read-there.ts';

/**
 * Brings the tag of a delivered resource in line with the result, on the version that the sink has now: what its people
 * wrote into it stays. A resource that is gone there needs no tag; one that shall be current again is missing.
 * @param known with the last version that is known to be ours, if any is: where the sink has another one, it stays the last
 * @returns with the last version that is known to be ours
 */
export async function alignSupersededTag(
  server: SinkServer,
  known: RemoteResource,
  identifier: { readonly system: string; readonly value: string },
  superseded: boolean,
): Promise<RemoteResource | Failed> {
  const { reference } = known;
  const found = await readThere(server, reference);
  if (isFailed(found)) return found;
  const gone = found.resource === undefined || !holdsIdentifier(found.resource, identifier);
  if (gone && superseded) return { reference };
  if (gone || found.resource === undefined) {
    const text = 'The sink no longer holds the resource that its receipt names; re-drive to create it anew.';
    return { kind: 'dead', error: { reason: 'gone', text } };
  }
  // A tag upon what somebody there changed makes it no version of ours, which an amended report might take the place of.
  const isTheirs = known.version !== found.version;
  if (isTagged(found.resource) === superseded) return isTheirs ? known : versioned(reference, found.version);
  const answer = await server.call({
    method: 'PUT',
    path: reference,
    body: retagged(found.resource, superseded),
    headers: found.version === undefined ? {} : { 'if-match': `W/"${found.version}"` },
  });
  if (answer.kind === 'silent' || answer.status < 200 || answer.status > 299) return deliveryFailure(answer);
  const put = remoteResource(answer, found.resource.resourceType);
  // Most servers keep tags on an update that leaves them out.
  const aligned = superseded ? await reread(server, reference, true) : await withoutTag(server, reference);
  if (isFailed(aligned)) return aligned;
  if (isTheirs) return known;
  return versioned(reference, aligned.isPut ? (put?.version ?? aligned.version) : aligned.version);
}

interface Aligned {
  readonly version?: string;
  /** True where the update did it, and nothing after it. */
  readonly isPut: boolean;
}

async function withoutTag(server: SinkServer, reference: string): Promise<Aligned | Failed> {
  const first = await reread(server, reference, false);
  if (!isFailed(first) || first.error.reason !== 'unexpected-answer') return first;
  const parameters: Parameters = {
    resourceType: 'Parameters',
    parameter: [{ name: 'meta', valueMeta: { tag: [{ system: supersededTag.system, code: supersededTag.code }] } }],
  };
  const answer = await server.call({ method: 'POST', path: `${reference}/$meta-delete`, body: parameters });
  const again = await reread(server, reference, false);
  if (!isFailed(again)) return { ...again, isPut: false };
  if (again.error.reason !== 'unexpected-answer') return again;
  const transient = answer.kind === 'silent' || [401, 408, 429, 500, 502, 503, 504].includes(answer.status);
  if (transient) return deliveryFailure(answer);
  const text =
    'The result stands again, but the sink keeps its tag "superseded": an update does not remove it there, and ' +
    '$meta-delete is not supported. Remove the tag there, then re-drive.';
  return { kind: 'dead', error: { reason: 'keeps-tag', status: answer.status, text } };
}

async function reread(server: SinkServer, reference: string, superseded: boolean): Promise<Aligned | Failed> {
  const found = await readThere(server, reference);
  if (isFailed(found)) return found;
  const { resource, version } = found;
  if (resource === undefined || isTagged(resource) === superseded)
    return { ...(version === undefined ? {} : { version }), isPut: true };
  const what = superseded ? 'it does not keep the tag "superseded"' : 'it keeps the tag "superseded": remove it there';
  return unexpectedAnswer(200, what);
}

function versioned(reference: string, version: string | undefined): RemoteResource {
  return { reference, ...(version === undefined ? {} : { version }) };
}

function isTagged({ meta = {} }: Resource): boolean {
  return metaWithSupersededTag(meta, true) === meta;
}

function retagged(resource: Resource, superseded: boolean): Resource {
  const copy = { ...resource, meta: metaWithSupersededTag(resource.meta ?? {}, superseded) };
  // A report that a person rejected is withdrawn, current or not.
  if (copy.resourceType !== 'DocumentReference' || copy.status === 'entered-in-error') return copy;
  return { ...copy, status: superseded ? 'superseded' : 'current' } satisfies DocumentReference;
}
