import type { Resource } from '@medplum/fhirtypes';
import { alignSupersededTag } from './align-superseded-tag.ts';
import type { RemoteResource } from './delivery.ts';
import { deliveryFailure } from './delivery-failure.ts';
import {
  type Failed,
  holdsIdentifier,
  isFailed,
  minimalAnswer,
  remoteResource,
  type SinkServer,
} from './fhir-sink-server.ts';
import { readThere } from './read-there.ts';
import type { SinkResource } from './render-result.ts';
import { ownVersion, withOwnVersion } from './with-own-version.ts';

/**
 * Puts the amended report in the place of the one that the sink has, under its id there, and only upon the version that
 * was delivered: what people at the sink wrote into a report is theirs, and is not written over.
 * @param unsure an earlier attempt may have put it there already
 */
export async function amendThere(
  server: SinkServer,
  known: RemoteResource,
  { identifier, resource }: SinkResource,
  { superseded, unsure }: { readonly superseded: boolean; readonly unsure: boolean },
): Promise<RemoteResource | Failed> {
  const { reference } = known;
  const read = await readThere(server, reference);
  if (isFailed(read)) return read;
  const { resource: there, version } = read;
  if (there === undefined || !holdsIdentifier(there, identifier)) return gone();
  // What an attempt without an answer has put there is what was to be put; what was changed since is not ours.
  if (unsure && saysTheSameOf(there, resource))
    return alignSupersededTag(server, ownVersion(known, read, resource), identifier, superseded);
  if (known.version === undefined || version !== known.version) return changedThere(reference);
  const answer = await server.call({
    method: 'PUT',
    path: reference,
    body: { ...resource, id: reference.slice(reference.indexOf('/') + 1) } as Resource,
    headers: { 'if-match': `W/"${version}"`, ...minimalAnswer },
  });
  if (answer.kind === 'silent' || answer.status < 200 || answer.status > 299) return deliveryFailure(answer);
  const put = remoteResource(answer, resource.resourceType);
  const amended = await withOwnVersion(
    server,
    put?.version === undefined ? { reference } : { reference, version: put.version },
    resource,
  );
  if (isFailed(amended)) return amended;
  // A server carries tags forward on an update: where it was superseded and is not any more, they are looked at.
  return alignSupersededTag(server, amended, identifier, superseded);
}

/**
 * The first identifier that is not an old one names the prediction, and the status whether it was read since; of a document, which has but
 * one identifier, the date tells.
 */
function saysTheSameOf(there: Resource, wanted: Resource): boolean {
  const nameOf = (resource: Resource): string | undefined => {
    if (resource.resourceType === 'DiagnosticReport') {
      const value = resource.identifier?.[0]?.value;
      return value === undefined ? undefined : `${resource.status} ${value}`;
    }
    return resource.resourceType === 'DocumentReference' ? resource.date : undefined;
  };
  const name = nameOf(wanted);
  return name !== undefined && nameOf(there) === name;
}

function gone(): Failed {
  const text = 'The sink no longer holds the report that its receipt names; re-drive to create it anew.';
  return { kind: 'dead', error: { reason: 'gone', text } };
}

function changedThere(reference: string): Failed {
  const text =
    `${reference} was changed at the sink since it was delivered, or the sink never said which version that was, and the report was amended here: neither is written over the ` +
    'other. Tell its readers, delete it there, and re-drive twice: the first finds it gone, the second creates it anew.';
  return { kind: 'dead', error: { reason: 'changed-there', text } };
}
