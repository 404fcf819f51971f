import type { DataRequirement, Library } from '@medplum/fhirtypes';
import type { ModelVersion } from './model-version.ts';
import { neededTypes } from './needed-types.ts';
import { recordQueries } from './record-queries.ts';

type OptOutBy = readonly ('consent' | 'group')[];

/**
 * A FHIR R4 Library (module-definition) that says which data a model version needs: the searches of its feature map as
 * DataRequirements. `dateFilter` stands only where the searches have a date too: a result without a time must be seen.
 */
export function requirementsLibrary(
  { manifest, uses, gathered, card }: Pick<ModelVersion, 'manifest' | 'uses' | 'gathered' | 'card'>,
  optOutBy: OptOutBy,
): Library {
  const { id, version, title, publisher, description, intendedUse, sources } = manifest;
  return {
    resourceType: 'Library',
    url: libraryUrl(id),
    version,
    name: computerName(id),
    title,
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/library-type', code: 'module-definition' }] },
    subjectCodeableConcept: patientSubject,
    publisher,
    description,
    purpose: intendedUse,
    copyright: `Equation: ${card.licence.equation} Software: ${card.licence.software}`,
    relatedArtifact: [
      ...sources.map(({ citation, doi }) => ({
        type: 'citation' as const,
        citation,
        ...(doi === undefined ? {} : { url: `https://doi.org/${doi}` }),
      })),
      ...uses.map((used) => ({
        type: 'depends-on' as const,
        display: used.manifest.title,
        resource: `${libraryUrl(used.manifest.id)}|${used.manifest.version}`,
      })),
    ],
    dataRequirement: dataRequirements(gathered, optOutBy),
  };
}

function libraryUrl(id: string): string {
  return `https://fhirsight.org/fhir/Library/${id}`;
}

const patientSubject = { coding: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Patient' }] };

function dataRequirements(map: ModelVersion['featureMap'], optOutBy: OptOutBy): DataRequirement[] {
  return neededTypes([map], optOutBy).map(({ type, codes }) => {
    const days = searchedByDate.has(type) ? longestDays(map, type) : undefined;
    const mustSupport = elementsRead[type];
    return {
      type: type as DataRequirement['type'],
      subjectCodeableConcept: patientSubject,
      ...(mustSupport === undefined ? {} : { mustSupport: [...mustSupport] }),
      ...(codes === undefined ? {} : { codeFilter: [{ path: 'code', code: codes.map(codingOf) }] }),
      ...(days === undefined ? {} : { dateFilter: [{ searchParam: 'date', valueDuration: inDays(days) }] }),
    };
  });
}

/** Types whose searches have a lower limit of their date. */
const searchedByDate: ReadonlySet<string> = new Set(['Encounter']);

/** Elements that decide what a resource says to a model; where one is missing, the resource is refused or a reason. */
const elementsRead: Readonly<Record<string, readonly string[]>> = {
  Patient: ['active', 'address', 'birthDate', 'deceased', 'extension', 'gender', 'link'],
  Observation: [
    'status',
    'code',
    'subject',
    'encounter',
    'effective',
    'issued',
    'value',
    'dataAbsentReason',
    'component',
    'specimen',
  ],
  DiagnosticReport: [
    'status',
    'code',
    'subject',
    'effective',
    'issued',
    'conclusion',
    'conclusionCode',
    'presentedForm',
  ],
  Condition: ['clinicalStatus', 'verificationStatus', 'code', 'subject', 'onset', 'abatement', 'recordedDate'],
  MedicationRequest: [
    'status',
    'intent',
    'doNotPerform',
    'medication',
    'subject',
    'authoredOn',
    'dosageInstruction',
    'dispenseRequest',
  ],
  MedicationStatement: ['status', 'medication', 'subject', 'effective', 'dateAsserted'],
  MedicationAdministration: ['status', 'medication', 'subject', 'effective'],
  MedicationDispense: ['status', 'medication', 'subject', 'whenHandedOver', 'whenPrepared', 'daysSupply'],
  Medication: ['status', 'code', 'ingredient'],
  Encounter: ['status', 'class', 'subject', 'period'],
  Procedure: ['status', 'code', 'subject', 'encounter', 'performed'],
  Appointment: ['status', 'start', 'created', 'participant'],
  AllergyIntolerance: ['clinicalStatus', 'verificationStatus', 'code', 'patient', 'onset', 'recordedDate', 'reaction'],
  FamilyMemberHistory: ['status', 'patient', 'date', 'relationship', 'condition', 'dataAbsentReason'],
  ServiceRequest: ['status', 'intent', 'doNotPerform', 'category', 'code', 'subject', 'encounter', 'authoredOn'],
  QuestionnaireResponse: ['questionnaire', 'status', 'subject', 'authored', 'item'],
  ImagingStudy: [
    'status',
    'identifier',
    'subject',
    'started',
    'modality',
    'endpoint',
    'numberOfInstances',
    'basedOn',
    'series',
  ],
  Endpoint: ['status', 'connectionType', 'address'],
  Consent: ['status', 'category', 'patient', 'policyRule', 'provision'],
  Group: ['active', 'code', 'member'],
};

/**
 * The longest time that a search of the type may reach back, in whole days, by the calendar of any as-of; undefined where
 * one has no limit. Two days more than the map says: a date without a zone may be read that much apart.
 */
function longestDays(map: ModelVersion['featureMap'], type: string): number | undefined {
  let longest = 0;
  for (let month = 0; month < 96; month++) {
    // The first and the last of a month: eight years hold every way in which a calendar can stretch a duration.
    for (const day of [1, 0]) {
      const asOf = new Date(Date.UTC(2001, month, day));
      for (const query of recordQueries(map, asOf, []).filter((each) => each.type === type)) {
        if (query.since === undefined) return undefined;
        longest = Math.max(longest, (asOf.getTime() - query.since.getTime()) / 86_400_000);
      }
    }
  }
  return Math.ceil(longest) + 2;
}

function inDays(value: number) {
  return { value, unit: value === 1 ? 'day' : 'days', system: 'http://unitsofmeasure.org', code: 'd' };
}

function codingOf(token: string) {
  const bar = token.indexOf('|');
  return { system: token.slice(0, bar), code: token.slice(bar + 1) };
}

/** `prevent-base` as PreventBase: a name that a program can use (R4 lib-0). */
function computerName(id: string): string {
  return id
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
