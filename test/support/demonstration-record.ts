import type { CodeableConcept, DiagnosticReport, Observation, Patient, Quantity, Resource } from '@medplum/fhirtypes';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';

/** As-of of the predictions about such records. */
export const demonstrationAsOf = '2026-01-01T00:00:00Z';

const effectiveDateTime = '2025-12-31T08:00:00Z';

/**
 * A patient with one resource for each value, as the feature map reads it: an Observation in the unit and under the first
 * code of its feature; age and sex in the Patient.
 */
export function demonstrationRecord(
  id: string,
  { features }: Pick<FeatureMap, 'features'>,
  values: ReadonlyMap<string, number | string>,
): Resource[] {
  const patient: Patient = { resourceType: 'Patient', id };
  const resources: Resource[] = [];
  for (const [name, value] of values) {
    const definition = features[name];
    if (definition?.kind === 'demographics') Object.assign(patient, demographic(definition, value));
    else resources.push(resourceOf(`${id}-${resources.length}`, id, definition, value));
  }
  return [patient, ...resources];
}

function demographic(definition: Extract<FeatureDefinition, { kind: 'demographics' }>, value: number | string): object {
  if (definition.element === 'age') return { birthDate: `${2025 - Number(value)}-06-15` };
  throw new Error(`nothing is written for the element ${definition.element}`);
}

function resourceOf(
  id: string,
  patient: string,
  definition: FeatureDefinition | undefined,
  value: number | string,
): Observation | DiagnosticReport {
  const about = { id, status: 'final', subject: { reference: `Patient/${patient}` }, effectiveDateTime } as const;
  if (definition?.kind === 'observation') {
    const valueQuantity = inUnit(Number(value), definition.unit);
    return { ...about, resourceType: 'Observation', code: firstCode(definition.codes), valueQuantity };
  }
  if (definition?.kind === 'text' && definition.from === 'report') {
    const issued = effectiveDateTime;
    return {
      ...about,
      resourceType: 'DiagnosticReport',
      code: firstCode(definition.codes),
      issued,
      conclusion: String(value),
    };
  }
  throw new Error(`nothing is written for the kind ${definition?.kind}`);
}

function firstCode(codes: readonly string[] = []): CodeableConcept {
  const [system, code] = String(codes[0]).split('|');
  return { coding: [{ ...(system === undefined ? {} : { system }), ...(code === undefined ? {} : { code }) }] };
}

function inUnit(value: number, unit: string): Quantity {
  return { value, unit, system: 'http://unitsofmeasure.org', code: unit };
}
