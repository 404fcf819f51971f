import type { ImagingStudy, Resource } from '@medplum/fhirtypes';
import type { FhirClient } from '../client/fhir-client.ts';
import { isTooLarge } from '../client/unreachable.ts';
import type { StudyIndex } from './study-index.ts';

/** A study of a thousand instances takes some 160 kB: so many are read in a moment, and fit into one answer. */
const studiesAtOnce = 20;

/**
 * The studies of a FHIR server. They come whole, also for a list: servers may ignore `_elements`, and mark what they shortened as
 * they mark what they withheld. A page that is too large is asked for again, and all behind it, in halves.
 * @param client asks for strict handling of searches: a parameter that is ignored would find other studies
 */
export function httpStudyIndex(client: FhirClient): StudyIndex {
  return {
    bases: [client.base],
    read: async (id, signal) => (await client.read('ImagingStudy', id, signal)) as ImagingStudy | undefined,
    checkSearch: () => undefined,
    async *search(parameters, signal) {
      for await (const page of client.search({ type: 'ImagingStudy', parameters }, signal)) yield page.filter(isStudy);
      signal?.throwIfAborted(); // what ends is whole
    },
    async *list(parameters, signal) {
      for (let pageSize = studiesAtOnce; pageSize >= 1; pageSize = Math.floor(pageSize / 2)) {
        try {
          for await (const page of client.search({ type: 'ImagingStudy', parameters, pageSize }, signal))
            yield page.filter(isStudy).map(({ id, meta, subject }) => ({ id, meta, subject }));
          signal?.throwIfAborted();
          return;
        } catch (error) {
          if (!isTooLarge(error) || pageSize === 1) throw error;
        }
      }
    },
  };
}

function isStudy(resource: Resource): resource is ImagingStudy {
  return resource.resourceType === 'ImagingStudy';
}
