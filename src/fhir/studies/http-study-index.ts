import type { ImagingStudy } from '@medplum/fhirtypes';
import type { FhirClient } from '../client/fhir-client.ts';
import type { StudyIndex } from './study-index.ts';

/**
 * The studies of a FHIR server.
 * @param client asks for strict handling of searches: a parameter that is ignored would find other studies
 */
export function httpStudyIndex(client: FhirClient): StudyIndex {
  return {
    bases: [client.base],
    read: async (id, signal) => (await client.read('ImagingStudy', id, signal)) as ImagingStudy | undefined,
    checkSearch: () => undefined,
    async *search(parameters, signal) {
      for await (const page of client.search({ type: 'ImagingStudy', parameters }, signal))
        yield page.filter((found) => found.resourceType === 'ImagingStudy');
      signal?.throwIfAborted(); // what ends is whole
    },
  };
}
