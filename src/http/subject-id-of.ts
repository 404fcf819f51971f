import type { Resource } from '@medplum/fhirtypes';
import { parseRelativeReference } from '../fhir/reference.ts';

/** Logical id of the Patient of this server that a resource is, or is about; undefined where it names none, or one elsewhere. */
export function subjectIdOf(resource: Resource): string | undefined {
  if (typeof resource !== 'object' || resource === null) return undefined;
  if (resource.resourceType === 'Patient') return resource.id;
  const { subject, patient } = resource as { subject?: { reference?: unknown }; patient?: { reference?: unknown } };
  const reference = subject?.reference ?? patient?.reference;
  const named = typeof reference === 'string' ? parseRelativeReference(reference) : undefined;
  return named?.type === 'Patient' ? named.id : undefined;
}
