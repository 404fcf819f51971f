import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { belowBase, parseRelativeReference } from '../reference.ts';

/** Where the types that predictions read name their patient. */
const subjectElements: Readonly<Record<string, string | undefined>> = {
  AllergyIntolerance: 'patient',
  Condition: 'subject',
  Consent: 'patient',
  DiagnosticReport: 'subject',
  Encounter: 'subject',
  MedicationAdministration: 'subject',
  MedicationDispense: 'subject',
  FamilyMemberHistory: 'patient',
  ImagingStudy: 'subject',
  MedicationRequest: 'subject',
  MedicationStatement: 'subject',
  Observation: 'subject',
  Procedure: 'subject',
  QuestionnaireResponse: 'subject',
  ServiceRequest: 'subject',
};

/**
 * Refuses a resource that predictions read and would not find: one whose subject is given, but by an identifier, a name
 * or something contained, so that it belongs to no patient of the store. A patient's disease would be taken for absent.
 * @param path FHIRPath of the resource in what the caller sent
 * Throws RESOURCE_INVALID.
 */
export function requireSubject(resource: Resource, baseUrl: string, path: string = resource.resourceType): void {
  const element = subjectElements[resource.resourceType];
  const subject = element && (resource as unknown as Record<string, { reference?: string } | undefined>)[element];
  if (!subject || isLiteral(subject.reference, baseUrl)) return;
  const expression = `${path}.${element}`;
  const message = `The ${element} must be named by a literal reference, as {"reference": "Patient/17"}: predictions would not find this ${resource.resourceType} by an identifier, a display, something contained or another URL of this server.`;
  throw new PredictionError('RESOURCE_INVALID', `${expression}: ${message}`, { issues: [{ message, expression }] });
}

function isLiteral(reference: string | undefined, baseUrl: string): boolean {
  if (reference === undefined || reference.startsWith('#')) return false;
  const below = belowBase(reference, baseUrl);
  return below === undefined || parseRelativeReference(below) !== undefined;
}
