import type { Bundle, Parameters, Resource } from '@medplum/fhirtypes';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';

export const referenceDate = new Date('2026-03-01T12:00:00Z');
export const model = 'prevent-base';

/** Codes of the Observations that prevent-base reads: what a prefetch would hold. */
const observed = [
  '2093-3',
  '14647-2',
  '2085-9',
  '14646-4',
  '85354-9',
  '55284-4',
  '39156-5',
  '2160-0',
  '38483-4',
  '72166-2',
];

export interface HeldRecord {
  readonly patient: string;
  readonly resources: readonly Resource[];
}

/** Synthetic patients with the resources that the model reads, and no other. */
export function* heldRecords(patients: number): Generator<HeldRecord> {
  for (const resources of generateSamplePatients({ patients, seed: 1, referenceDate })) {
    const [patient] = resources;
    yield { patient: patient?.id ?? '', resources: resources.filter(isRead) };
  }
}

function isRead(resource: Resource): boolean {
  if (resource.resourceType !== 'Observation') return true;
  return (resource.code.coding ?? []).some(({ code }) => observed.includes(code ?? ''));
}

/** `$predict` about a record that the call holds, without contributions. */
export function predictBody({ patient, resources }: HeldRecord, asOf: Date): Parameters {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'model', valueString: model },
      { name: 'subject', valueString: `Patient/${patient}` },
      { name: 'asOf', valueDateTime: asOf.toISOString() },
      { name: 'useServerData', valueBoolean: false },
      { name: 'explain', valueBoolean: false },
      { name: 'resource', resource: bundleOf(resources) },
    ],
  };
}

/** A call of the hook `patient-view` whose prefetch holds all that the service asks for. */
export function hookBody({ patient, resources }: HeldRecord, instance: number): unknown {
  const of = (type: Resource['resourceType']) =>
    bundleOf(resources.filter(({ resourceType }) => resourceType === type));
  return {
    hook: 'patient-view',
    hookInstance: `00000000-0000-4000-8000-${String(instance).padStart(12, '0')}`,
    context: { userId: 'Practitioner/example', patientId: patient },
    prefetch: {
      patient: resources.find(({ resourceType }) => resourceType === 'Patient'),
      observations: of('Observation'),
      conditions: of('Condition'),
      medicationRequests: bundleOf(
        resources.filter(({ resourceType }) => ['MedicationRequest', 'Medication'].includes(resourceType)),
      ),
      encounters: of('Encounter'),
      consents: of('Consent'),
      optOutGroups: of('Group'),
    },
  };
}

function bundleOf(resources: readonly Resource[]): Bundle {
  const entry = resources.map((resource) => ({ resource }));
  return { resourceType: 'Bundle', type: 'searchset', ...(entry.length === 0 ? {} : { entry }) } as Bundle;
}
