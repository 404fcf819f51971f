import type { Resource } from '@medplum/fhirtypes';
import { alignSupersededTag } from './align-superseded-tag.ts';
import type { RemoteResource } from './delivery.ts';
import { deliveryFailure, unexpectedAnswer } from './delivery-failure.ts';
import { type Failed, holdsIdentifier, minimalAnswer, remoteResource, type SinkServer } from './fhir-sink-server.ts';
import type { SinkResource } from './render-result.ts';

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
  const read = await server.call({ method: 'GET', path: reference });
  if (read.kind === 'answered' && (read.status === 404 || read.status === 410)) return gone();
  if (read.kind === 'silent' || read.status !== 200) return deliveryFailure(read);
  const there = read.body as Resource;
  if (`${there.resourceType}/${there.id}` !== reference) return unexpectedAnswer(200, 'a read gave another resource');
  if (!holdsIdentifier(there, identifier)) return gone();
  // What an attempt without an answer has put there is what was to be put.
  if (unsure && saysThePrediction(there, resource)) return alignSupersededTag(server, known, identifier, superseded);
  const version = there.meta?.versionId;
  if (known.version !== undefined && version !== known.version) return changedThere(reference);
  const answer = await server.call({
    method: 'PUT',
    path: reference,
    body: { ...resource, id: reference.slice(reference.indexOf('/') + 1) } as Resource,
    headers: { ...(version === undefined ? {} : { 'if-match': `W/"${version}"` }), ...minimalAnswer },
  });
  if (answer.kind === 'silent' || answer.status < 200 || answer.status > 299) return deliveryFailure(answer);
  const put = remoteResource(answer.location, answer.body, resource.resourceType);
  // A server carries tags forward on an update: where it was superseded and is not any more, they are looked at.
  return alignSupersededTag(server, { ...known, ...put }, identifier, superseded);
}

/** The first identifier that is not an old one names the prediction; of a document, which has but one, the date tells. */
function saysThePrediction(there: Resource, wanted: Resource): boolean {
  const nameOf = (resource: Resource): string | undefined => {
    if (resource.resourceType === 'DiagnosticReport') return resource.identifier?.[0]?.value;
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
    `${reference} was changed at the sink since it was delivered, and the report was amended here: neither is written over the ` +
    'other. Tell its readers, delete it there, and re-drive twice: the first finds it gone, the second creates it anew.';
  return { kind: 'dead', error: { reason: 'changed-there', text } };
}
