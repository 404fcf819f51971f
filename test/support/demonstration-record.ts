import type { Observation, Patient, Quantity, Resource } from '@medplum/fhirtypes';
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
  const observations: Observation[] = [];
  for (const [name, value] of values) {
    const definition = features[name];
    if (definition?.kind === 'demographics') Object.assign(patient, demographic(definition, value));
    else observations.push(measured(`${id}-${observations.length}`, id, definition, value));
  }
  return [patient, ...observations];
}

function demographic(definition: Extract<FeatureDefinition, { kind: 'demographics' }>, value: number | string): object {
  if (definition.element === 'age') return { birthDate: `${2025 - Number(value)}-06-15` };
  if (definition.element === 'sex') return { gender: value };
  throw new Error(`nothing is written for the element ${definition.element}`);
}

function measured(
  id: string,
  subject: string,
  definition: FeatureDefinition | undefined,
  value: number | string,
): Observation {
  if (definition?.kind !== 'observation' && definition?.kind !== 'text')
    throw new Error(`nothing is written for the kind ${definition?.kind}`);
  const [system, code] = String(definition.codes?.[0]).split('|');
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ ...(system === undefined ? {} : { system }), ...(code === undefined ? {} : { code }) }] },
    subject: { reference: `Patient/${subject}` },
    effectiveDateTime,
    ...(definition.kind === 'text'
      ? { valueString: String(value) }
      : { valueQuantity: inUnit(Number(value), definition.unit) }),
  };
}

function inUnit(value: number, unit: string): Quantity {
  return { value, unit, system: 'http://unitsofmeasure.org', code: unit };
}
