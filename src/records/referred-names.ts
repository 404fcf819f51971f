import type { ImagingStudy, MedicationRequest, Resource } from '@medplum/fhirtypes';
import { isMedicationType } from '../fhir/medication-types.ts';
import type { ReferredType } from '../fhir/referred-types.ts';
import { localReference, type ServerBases } from './local-reference.ts';

/**
 * The Medications that orders among the resources refer to on the same server, and the Endpoints that imaging studies and
 * their series do, as `Type/id`, each once.
 */
export function referredNames(resources: readonly Resource[], server: ServerBases): string[] {
  const names = new Set<string>();
  for (const resource of resources) {
    const { resourceType } = resource;
    if (isMedicationType(resourceType)) {
      const { medicationReference } = resource as MedicationRequest;
      addLocal(names, 'Medication', medicationReference?.reference, server);
    } else if (resourceType === 'ImagingStudy') {
      for (const { reference } of endpointsOf(resource)) addLocal(names, 'Endpoint', reference, server);
    }
  }
  return [...names];
}

function endpointsOf({ endpoint = [], series = [] }: ImagingStudy) {
  return [...endpoint, ...series.flatMap((one) => one.endpoint ?? [])];
}

function addLocal(names: Set<string>, type: ReferredType, reference: string | undefined, server: ServerBases): void {
  const local = localReference(reference, server);
  if (local !== undefined && (local.type === undefined || local.type === type)) names.add(`${type}/${local.id}`);
}
