import type { FhirClient } from '../../fhir/client/fhir-client.ts';
import type { PatientIndex } from './open-cohort-source.ts';

/**
 * The patients of a FHIR server.
 * @param client asks for strict handling of searches: a parameter that is ignored would make the cohort too large
 */
export function httpPatientIndex(client: FhirClient): PatientIndex {
  const search: PatientIndex['searchPatients'] = async function* (parameters, signal) {
    for await (const page of client.search({ type: 'Patient', parameters }, signal)) {
      yield page.flatMap(({ id }) => id ?? []);
    }
    signal.throwIfAborted(); // a cohort that ends is a whole one
  };
  return {
    bases: [client.base],
    readGroup: (id, signal) => client.read('Group', id, signal),
    checkSearch: () => undefined,
    allPatients: (signal) => search([], signal),
    searchPatients: search,
  };
}
