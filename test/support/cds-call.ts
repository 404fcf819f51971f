import type { Bundle, Group, Patient, Resource } from '@medplum/fhirtypes';
import type { CardPrediction } from '../../src/entrances/cds-hooks/card.ts';
import { type Answer, send } from './fhir-test-server.ts';

/** What a test says when it calls a service. */
export interface HookCallOptions {
  readonly patient: string;
  readonly fhirServer?: string;
  readonly token?: string;
  readonly prefetch?: Readonly<Record<string, unknown>>;
  readonly encounter?: string;
  readonly user?: string;
}

/** The body of a patient-view call. */
export function patientView(options: HookCallOptions): Record<string, unknown> {
  const { patient, fhirServer, token, prefetch, encounter, user = 'Practitioner/example' } = options;
  return {
    hook: 'patient-view',
    hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
    ...(fhirServer === undefined ? {} : { fhirServer }),
    ...(token === undefined
      ? {}
      : {
          fhirAuthorization: {
            access_token: token,
            token_type: 'Bearer',
            expires_in: 300,
            scope: 'user/*.read',
            subject: 'fhirsight',
          },
        }),
    context: { userId: user, patientId: patient, ...(encounter === undefined ? {} : { encounterId: encounter }) },
    ...(prefetch === undefined ? {} : { prefetch }),
  };
}

/** Calls a service as a CDS client does. @param url of the server, without a path */
export function callHook(url: string, service: string, body: unknown): Promise<Answer> {
  return send(`${url}/cds-services/${service}`, 'POST', body, { 'Content-Type': 'application/json' });
}

const typeOfKey = {
  observations: 'Observation',
  conditions: 'Condition',
  medicationRequests: 'MedicationRequest',
  encounters: 'Encounter',
  consents: 'Consent',
} as const;

/** What a client answers to the templates of `prevent-base`: all that it holds of one patient. */
export function fullPrefetch(resources: readonly Resource[]): Record<string, unknown> {
  const patient = resources.find((resource): resource is Patient => resource.resourceType === 'Patient');
  const groups = resources.filter((resource): resource is Group => resource.resourceType === 'Group');
  return {
    patient,
    ...Object.fromEntries(
      Object.entries(typeOfKey).map(([key, type]) => [
        key,
        searchset(resources.filter(({ resourceType }) => resourceType === type)),
      ]),
    ),
    optOutGroups: searchset(groups),
  };
}

/** @param included resources that were not searched for */
export function searchset(resources: readonly Resource[], included: readonly Resource[] = []): Bundle {
  const entry = [
    ...resources.map((resource) => ({ resource, search: { mode: 'match' as const } })),
    ...included.map((resource) => ({ resource, search: { mode: 'include' as const } })),
  ];
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: resources.length,
    ...(entry.length === 0 ? {} : { entry }),
  };
}

/** The extension of the first card. Throws where there is none. */
export function cardPrediction({ status, body, text }: Answer): CardPrediction {
  const found = body.cards?.[0]?.extension?.['org.fhirsight.prediction'];
  if (status !== 200 || found === undefined) throw new Error(`the hook answered ${status}: ${text}`);
  return found;
}
