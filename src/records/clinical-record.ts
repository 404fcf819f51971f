import type {
  AllergyIntolerance,
  Appointment,
  Condition,
  Consent,
  DiagnosticReport,
  Encounter,
  Endpoint,
  FamilyMemberHistory,
  Group,
  ImagingStudy,
  Medication,
  MedicationAdministration,
  MedicationDispense,
  MedicationRequest,
  MedicationStatement,
  Observation,
  Patient,
  Procedure,
  QuestionnaireResponse,
  ServiceRequest,
} from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import { type Confidentiality, confidentialityOf, strictestOf } from './confidentiality.ts';
import { localReference } from './local-reference.ts';
import { isSubject, type Subject } from './subject.ts';

/** Every resource the path can use. */
export type RecordResource =
  | Patient
  | Observation
  | Condition
  | MedicationRequest
  | MedicationStatement
  | MedicationAdministration
  | MedicationDispense
  | Medication
  | Encounter
  | Procedure
  | QuestionnaireResponse
  | DiagnosticReport
  | ServiceRequest
  | AllergyIntolerance
  | FamilyMemberHistory
  | Appointment
  | Consent
  | Group
  | ImagingStudy
  | Endpoint;
export type RecordType = RecordResource['resourceType'];
type ResourceOf<T extends RecordType> = Extract<RecordResource, { resourceType: T }>;

export const recordTypes: readonly RecordType[] = [
  'Patient',
  'Observation',
  'Condition',
  'MedicationRequest',
  'Medication',
  'Encounter',
  'Procedure',
  'QuestionnaireResponse',
  'DiagnosticReport',
  'ServiceRequest',
  'AllergyIntolerance',
  'FamilyMemberHistory',
  'Appointment',
  'MedicationStatement',
  'MedicationAdministration',
  'MedicationDispense',
  'Consent',
  'Group',
  'ImagingStudy',
  'Endpoint',
];

/** A resource that was read, named so that a reader finds the same version again. */
export interface SourceReference {
  /**
   * `Observation/17/_history/3` where the version is known; absolute for a source that is not the own store.
   * Absent for a resource that only the caller holds: there is nothing to refer to.
   */
  readonly reference?: string;
  /** Says what it is where there is no reference. */
  readonly display?: string;
}

/** Step 1 of the path: all that is known of one subject as of one instant, from one server and the caller. Never changes. */
export interface ClinicalRecord {
  readonly subject: Subject;
  readonly asOf: Date;
  readonly patient: Patient;
  /** The encounter the request names. */
  readonly encounter?: Encounter;
  /** A record exists only where every search ended; what is not in it was not there. */
  readonly complete: true;
  /** Resources of one type, each once, by id; then those the caller sent without one. */
  byType<T extends RecordType>(type: T): readonly ResourceOf<T>[];
  /** The Medication behind a reference; undefined where it was not found, is another version, or lies on another server. */
  medication(reference: string): Medication | undefined;
  /** The Endpoint behind a reference; undefined where it was not found, is another version, is contained, or lies on another server. */
  endpoint(reference: string): Endpoint | undefined;
  /** The Encounter of this record behind a reference; undefined where it is not in the record, is another version, or lies on another server. */
  encounterBehind(reference: string): Encounter | undefined;
  /** True if a reference inside this record names its subject. */
  isSubject(reference: string | undefined): boolean;
  /** The same object wherever it would say the same. Throws INTERNAL for a resource that is not of this record. */
  sourceReference(resource: RecordResource): SourceReference;
  /** What the labels say of the resources behind these sources, the strictest of them; undefined where they say nothing. */
  confidentialityOf(sources: Iterable<SourceReference>): Confidentiality | undefined;
}

/** A resource and where it came from: the server, or the caller of this prediction alone. */
export interface RecordEntry {
  readonly resource: RecordResource;
  readonly from: 'source' | 'caller';
}

/** @param own the resources came from the own store, so references to them stay relative */
export function clinicalRecord(parts: {
  subject: Subject;
  own: boolean;
  asOf: Date;
  patient: Patient;
  encounter?: Encounter;
  entries: readonly RecordEntry[];
}): ClinicalRecord {
  const { subject, own, patient, encounter, entries } = parts;
  const byType = new Map<RecordType, RecordResource[]>(recordTypes.map((type) => [type, []]));
  const origins = new Map<RecordResource, RecordEntry['from']>();
  // By resource; by type for those that only their type names.
  const references = new Map<RecordResource | RecordType, SourceReference>();
  const medications = new Map<string, Medication>();
  const endpoints = new Map<string, Endpoint>();
  const labelled = new Map<SourceReference, Confidentiality>();
  let type: RecordType | undefined;
  let ofType: RecordResource[] | undefined;
  for (const { resource, from } of entries) {
    // Those of one type mostly stand together.
    if (resource.resourceType !== type) {
      type = resource.resourceType;
      ofType = byType.get(type);
    }
    ofType?.push(resource);
    origins.set(resource, from);
    if (resource.resourceType === 'Medication' && resource.id !== undefined) medications.set(resource.id, resource);
    if (resource.resourceType === 'Endpoint' && resource.id !== undefined) endpoints.set(resource.id, resource);
  }
  for (const resources of byType.values()) Object.freeze(resources);
  // Those that only their type names are one source: it is as confidential as any of them.
  const ofAnonymous = (named: RecordType): Confidentiality | undefined =>
    strictestOf((byType.get(named) ?? []).filter(({ id }) => id === undefined).map(confidentialityOf));

  return Object.freeze(
    new GatheredRecord(parts.asOf, {
      ...(encounter === undefined ? {} : { encounter }),
      subject,
      patient,
      complete: true,
      byType: <T extends RecordType>(type: T) => (byType.get(type) ?? []) as unknown as readonly ResourceOf<T>[],
      medication: (reference) => referredTo(reference, 'Medication', medications, subject),
      endpoint: (reference) => referredTo(reference, 'Endpoint', endpoints, subject),
      encounterBehind: (reference) => {
        const local = localReference(reference, subject);
        if (local === undefined || (local.type !== undefined && local.type !== 'Encounter')) return undefined;
        const encounter = byId(byType.get('Encounter'), local.id);
        return local.versionId === undefined || local.versionId === encounter?.meta?.versionId ? encounter : undefined;
      },
      isSubject: (reference) => isSubject(reference, subject),
      sourceReference: (resource) => {
        const again = references.get(resource);
        if (again !== undefined) return again;
        const from = origins.get(resource);
        const named = from !== 'caller' || resource.id !== undefined;
        const key = named ? resource : resource.resourceType;
        const known = references.get(key);
        if (known !== undefined) return known;
        const made = referenceTo(resource, from, own ? '' : `${subject.base}/`);
        references.set(key, made);
        const label = key === resource ? confidentialityOf(resource) : ofAnonymous(resource.resourceType);
        if (label !== undefined) labelled.set(made, label);
        return made;
      },
      confidentialityOf: (sources) =>
        labelled.size === 0 ? undefined : strictestOf([...sources].map((source) => labelled.get(source))),
    }),
  );
}

/**
 * A class for the sake of one getter: in an object literal it would make a hidden class for each record, which keeps the
 * whole record in the old generation until the next full collection (measured: a sixth of the time of a prediction).
 */
class GatheredRecord implements ClinicalRecord {
  readonly #asOfMs: number;
  readonly subject: ClinicalRecord['subject'];
  readonly patient: ClinicalRecord['patient'];
  readonly encounter?: Encounter;
  readonly complete = true;
  readonly byType: ClinicalRecord['byType'];
  readonly medication: ClinicalRecord['medication'];
  readonly endpoint: ClinicalRecord['endpoint'];
  readonly encounterBehind: ClinicalRecord['encounterBehind'];
  readonly isSubject: ClinicalRecord['isSubject'];
  readonly sourceReference: ClinicalRecord['sourceReference'];
  readonly confidentialityOf: ClinicalRecord['confidentialityOf'];

  constructor(asOf: Date, parts: Omit<ClinicalRecord, 'asOf'>) {
    this.#asOfMs = asOf.getTime();
    this.subject = parts.subject;
    this.patient = parts.patient;
    if (parts.encounter !== undefined) this.encounter = parts.encounter;
    this.byType = parts.byType;
    this.medication = parts.medication;
    this.endpoint = parts.endpoint;
    this.encounterBehind = parts.encounterBehind;
    this.isSubject = parts.isSubject;
    this.sourceReference = parts.sourceReference;
    this.confidentialityOf = parts.confidentialityOf;
  }

  get asOf(): Date {
    return new Date(this.#asOfMs);
  }
}

function referredTo<T extends Medication | Endpoint>(
  reference: string,
  type: T['resourceType'],
  known: ReadonlyMap<string, T>,
  subject: Subject,
): T | undefined {
  const local = localReference(reference, subject);
  if (local === undefined || (local.type !== undefined && local.type !== type)) return undefined;
  const found = known.get(local.id);
  // Only the current version can be read; what another version said is not known.
  return local.versionId === undefined || local.versionId === found?.meta?.versionId ? found : undefined;
}

function byId(resources: readonly RecordResource[] = [], wanted: string): Encounter | undefined {
  const found = resources.find(({ id }) => id === wanted);
  return found?.resourceType === 'Encounter' ? found : undefined;
}

/** @param prefix what stands before a relative reference */
function referenceTo(
  { resourceType, id, meta }: RecordResource,
  from: RecordEntry['from'] | undefined,
  prefix: string,
): SourceReference {
  if (from === undefined) {
    throw new PredictionError('INTERNAL', `A ${resourceType} that is not of the record was named as a source.`);
  }
  if (from === 'caller') {
    const name = id === undefined ? resourceType : `${resourceType}/${id}`;
    return { display: `${name} sent by the caller, not stored` };
  }
  const version = meta?.versionId === undefined ? '' : `/_history/${meta.versionId}`;
  return { reference: `${prefix}${resourceType}/${id}${version}` };
}
