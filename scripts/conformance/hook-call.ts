import { randomUUID } from 'node:crypto';
import type { Patient, Resource } from '@medplum/fhirtypes';
import { type DiscoveredService, type Site, searchset } from './site.ts';

type Json = Record<string, unknown>;

/** A draft as an EHR sends it while it is signed; the patient is synthetic. */
function draftOrder(patient: string): Json {
  return {
    resourceType: 'ServiceRequest',
    id: 'draft-1',
    status: 'draft',
    intent: 'order',
    code: { coding: [{ system: 'http://loinc.org', code: '24331-1', display: 'Lipid 1996 panel' }] },
    subject: { reference: `Patient/${patient}` },
  };
}

function collection(resource: Json): Json {
  return { resourceType: 'Bundle', type: 'collection', entry: [{ resource }] };
}

/** The context of each hook of the library (CDS-70), for one patient. */
export function contextOf(hook: string, patient: string, encounter: string): Json {
  const user = { userId: 'Practitioner/example', patientId: patient };
  const inEncounter = { ...user, encounterId: encounter };
  const order = draftOrder(patient);
  const contexts: Readonly<Record<string, Json>> = {
    'patient-view': user,
    'encounter-start': inEncounter,
    'encounter-discharge': inEncounter,
    'order-select': { ...user, selections: ['ServiceRequest/draft-1'], draftOrders: collection(order) },
    'order-sign': { ...user, draftOrders: collection(order) },
    'order-dispatch': {
      patientId: patient,
      dispatchedOrders: ['ServiceRequest/draft-1'],
      performer: 'Organization/laboratory',
    },
    'appointment-book': {
      ...user,
      appointments: collection({
        resourceType: 'Appointment',
        id: 'draft-2',
        status: 'proposed',
        participant: [{ actor: { reference: `Patient/${patient}` }, status: 'needs-action' }],
      }),
    },
    'allergyintolerance-create': {
      ...user,
      allergyIntolerance: { resourceType: 'AllergyIntolerance', patient: { reference: `Patient/${patient}` } },
    },
    'problem-list-item-create': {
      ...user,
      conditions: collection({
        resourceType: 'Condition',
        category: [
          {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }],
          },
        ],
        subject: { reference: `Patient/${patient}` },
      }),
    },
    'medication-refill': {
      ...user,
      medications: collection({
        resourceType: 'MedicationRequest',
        id: 'draft-3',
        status: 'draft',
        intent: 'order',
        medicationCodeableConcept: { text: 'a medicine' },
        subject: { reference: `Patient/${patient}` },
      }),
    },
  };
  return contexts[hook] ?? user;
}

/** What an EHR that knows the record answers to the templates of a service. */
export function prefetchFor({ prefetch = {} }: DiscoveredService, record: readonly Resource[]): Json {
  const patient = record.find((resource): resource is Patient => resource.resourceType === 'Patient');
  return Object.fromEntries(
    Object.entries(prefetch).map(([key, template]) => {
      const [, type = ''] = /^([A-Za-z]+)[/?]/.exec(template) ?? [];
      if (template.startsWith('Patient/')) return [key, patient];
      return [key, searchset(record.filter(({ resourceType }) => resourceType === type))];
    }),
  );
}

/** The body of a good call of a service: everything it asks for comes along. */
export function hookBody(site: Site, service: DiscoveredService, changes: Json = {}): Json {
  const body: Json = {
    hook: service.hook,
    hookInstance: randomUUID(),
    context: contextOf(service.hook, site.patient, `${site.patient}-visit`),
    prefetch: prefetchFor(service, site.record),
    ...changes,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** The first service of a hook, or the first of all. Throws where there is none. */
export function serviceOf(site: Site, hook?: string): DiscoveredService {
  const service = site.services.find((each) => hook === undefined || each.hook === hook);
  if (service === undefined) throw new Error(`the server offers no service${hook === undefined ? '' : ` at ${hook}`}`);
  return service;
}
