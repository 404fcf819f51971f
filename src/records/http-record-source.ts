import type { Patient, Resource } from '@medplum/fhirtypes';
import type { FhirClient } from '../fhir/client/fhir-client.ts';
import type { ServerProfileReader } from '../fhir/client/kept-server-profile.ts';
import { anyServer } from '../fhir/client/server-profile.ts';
import type { ResourceValidator } from '../fhir/validate-resource.ts';
import { PredictionError } from '../platform/errors.ts';
import { fitSearch } from './fit-search.ts';
import type { RecordSource } from './record-source.ts';
import { endsAfter, windowStart } from './search-window.ts';

/**
 * Clinical data on a FHIR server over HTTP. Keeps nothing: two sources never share a resource.
 *
 * A resource that breaks base R4 makes its record unreachable: left out, an older value would take its place.
 * @param profile what the server can do; absent: what a FHIR R4 server should
 */
export function createHttpRecordSource(
  client: Pick<FhirClient, 'base' | 'read' | 'search' | 'searchOn'>,
  validator: Pick<ResourceValidator, 'findings'>,
  profile: ServerProfileReader = async () => anyServer,
): RecordSource {
  const checked = <T extends Resource | undefined>(resource: T): T => {
    const [finding] = resource === undefined ? [] : validator.findings(resource);
    if (finding === undefined) return resource;
    // Not the finding's own words, which may quote the patient's data.
    const message = `The FHIR server ${client.base} answered with a resource (${resource?.resourceType}) that breaks FHIR R4 at ${finding.expression} (${finding.code ?? 'invalid'}). The record is not used; have the resource corrected there.`;
    throw new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'transient', message }] });
  };
  const fitting = async function* (pages: AsyncIterable<Resource[]>, from: Date | undefined) {
    for await (const page of pages) {
      // A server may ignore the date; it may not widen the window.
      const rows = from === undefined ? page : page.filter((resource) => endsAfter(resource, from));
      if (rows.length > 0) yield rows.map(checked);
    }
  };
  return {
    base: client.base,
    own: false,
    readPatient: async (id, signal) => checked((await client.read('Patient', id, signal)) as Patient | undefined),
    read: async (type, id, signal) => checked(await client.read(type, id, signal)),
    search: async function* (query, subjectId, signal) {
      const from = windowStart(query);
      const search = fitSearch({ query, subjectId, from }, await profile(signal), client.base);
      yield* fitting(client.search(search, signal), from);
    },
    searchOn: (begun, query, signal) =>
      fitting(client.searchOn({ ...begun, type: query.type }, signal), windowStart(query)),
  };
}
