import type { Patient, Resource } from '@medplum/fhirtypes';
import type { FhirClient, FhirSearch } from '../fhir/client/fhir-client.ts';
import type { ResourceValidator } from '../fhir/validate-resource.ts';
import { isSearchedByCode, type RecordQuery } from '../model-catalog/record-queries.ts';
import { PredictionError } from '../platform/errors.ts';
import type { RecordSource } from './record-source.ts';
import { endsAfter, windowStart } from './search-window.ts';

/**
 * Clinical data on a FHIR server over HTTP. Keeps nothing: two sources never share a resource.
 *
 * A resource that breaks base R4 makes its record unreachable: left out, an older value would take its place.
 */
export function createHttpRecordSource(
  client: FhirClient,
  validator: Pick<ResourceValidator, 'findings'>,
): RecordSource {
  const checked = <T extends Resource | undefined>(resource: T): T => {
    const [finding] = resource === undefined ? [] : validator.findings(resource);
    if (finding === undefined) return resource;
    // Not the finding's own words, which may quote the patient's data.
    const message = `The FHIR server ${client.base} answered with a resource (${resource?.resourceType}) that breaks FHIR R4 at ${finding.expression} (${finding.code ?? 'invalid'}). The record is not used; have the resource corrected there.`;
    throw new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'transient', message }] });
  };
  return {
    base: client.base,
    own: false,
    readPatient: async (id, signal) => checked((await client.read('Patient', id, signal)) as Patient | undefined),
    read: async (type, id, signal) => checked(await client.read(type, id, signal)),
    search: async function* (query, subjectId, signal) {
      const from = windowStart(query);
      for await (const page of client.search(fhirSearch(query, subjectId, from), signal)) {
        // A server may ignore the date; it may not widen the window.
        const rows = from === undefined ? page : page.filter((resource) => endsAfter(resource, from));
        if (rows.length > 0) yield rows.map(checked);
      }
    },
  };
}

function fhirSearch(query: RecordQuery, subjectId: string, from: Date | undefined): FhirSearch {
  const subject = query.subjectParameter === 'member' ? `Patient/${subjectId}` : subjectId;
  return {
    type: query.type,
    parameters: [
      [query.subjectParameter, subject],
      ...(from === undefined || !searchedByDate.includes(query.type)
        ? []
        : [['date', `ge${from.toISOString()}`] as const]),
    ],
    ...(query.codes === undefined || !isSearchedByCode(query) ? {} : { anyOf: { name: 'code', values: query.codes } }),
  };
}

/**
 * Types that are searched by date. A result without a time, which may be the newest, would be hidden by that of
 * Observation; an Encounter without one shows nothing anyway.
 */
const searchedByDate: readonly RecordQuery['type'][] = ['Encounter'];
