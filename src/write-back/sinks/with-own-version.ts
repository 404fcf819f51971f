import type { Resource } from '@medplum/fhirtypes';
import { saysTheSame } from '../says-the-same.ts';
import type { RemoteResource } from './delivery.ts';
import { type Failed, isFailed, type SinkServer } from './fhir-sink-server.ts';
import { type FoundThere, readThere } from './read-there.ts';

/**
 * Finds out which version at the sink is the one that was written there, where its answer did not say: the one that it has now,
 * if that says what was sent. Without a version where it says anything else: then whose it is is not known.
 */
export async function withOwnVersion(
  server: SinkServer,
  there: RemoteResource,
  sent: Resource,
): Promise<RemoteResource | Failed> {
  if (there.version !== undefined) return there;
  const found = await readThere(server, there.reference);
  return isFailed(found) ? found : ownVersion(there, found, sent);
}

/** Takes the version that was found for the own one where it says what was sent; the tag and the status of a document are apart. */
export function ownVersion(known: RemoteResource, { resource, version }: FoundThere, sent: Resource): RemoteResource {
  const apart = sent.resourceType === 'DocumentReference' ? ['id', 'meta', 'status'] : ['id', 'meta'];
  const isOurs = resource !== undefined && version !== undefined && saysTheSame(resource, sent, apart);
  return isOurs ? { ...known, version } : known;
}
