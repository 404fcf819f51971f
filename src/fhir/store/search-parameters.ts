/**
 * Which elements each search parameter reads, per resource type: base R4's search parameters of these names.
 * A parameter that a type does not list is refused for it. Paths name elements from the resource's root; `[x]`
 * stands for any type of a choice element. For `date` the first path that has a value counts. What `patientElements`
 * names has no column of its own and is read out of the resource by each search.
 *
 * Where R4 has no parameter of the name, or one of little use, this server means by `date`: Condition onset[x], else
 * recordedDate; MedicationRequest authoredOn; MedicationStatement and MedicationAdministration effective[x];
 * RiskAssessment occurrence[x], also a Period. Left out since they repeat within one resource: the encounters of
 * Claim, ExplanationOfBenefit and DocumentReference, and the status of ImmunizationRecommendation. `url` and `value` find
 * the definitions that are looked up by them, and are read out of the resource as well. `started` of an ImagingStudy is kept
 * as its date, and `modality` as its category.
 */
export interface SearchElements {
  readonly identifier?: readonly string[];
  readonly patient?: readonly string[];
  readonly subject?: readonly string[];
  readonly member?: readonly string[];
  readonly target?: readonly string[];
  readonly encounter?: readonly string[];
  readonly code?: readonly string[];
  readonly category?: readonly string[];
  readonly status?: readonly string[];
  readonly date?: readonly string[];
  readonly gender?: readonly string[];
  readonly birthdate?: readonly string[];
  readonly active?: readonly string[];
  readonly deceased?: readonly string[];
  readonly url?: readonly string[];
  readonly value?: readonly string[];
  readonly started?: readonly string[];
  readonly modality?: readonly string[];
  readonly endpoint?: readonly string[];
}

/** The canonical URL of a definition as SQL, null where it has none; and the ids of a NamingSystem, each its own row. */
export const definitionElements = {
  url: `(body->>'url') collate "C"`,
  uniqueIds: `json_array_elements(body->'uniqueId')`,
} as const;

/** The references to the Endpoints of an ImagingStudy and of its series as SQL: an array of text, null where there are none. */
export const endpointReferences = `(select array_agg(one->>'reference') from (
  select json_array_elements(body->'endpoint') as one
  union all select json_array_elements(series->'endpoint') from json_array_elements(body->'series') series) endpoints)`;

/** The search parameters that every type has. */
export const commonParameters = ['_id', '_lastUpdated'] as const;

/** What a search may ask about its result, for every type. */
export const resultParameters = ['_sort', '_count', '_total', '_summary', '_format', '_pretty'] as const;

/** Elements of a Patient as SQL on `resources.body`; null where they are absent. Compared bytewise on every server. */
export const patientElements = {
  gender: `(body->>'gender') collate "C"`,
  birthDate: `(body->>'birthDate') collate "C"`,
  active: `(body->>'active') collate "C"`,
  /** R4's meaning: a time of death is a yes, and nothing said is a no. */
  deceased: `case when body->>'deceasedBoolean' = 'true' or body->>'deceasedDateTime' is not null then 'true' else 'false' end collate "C"`,
} as const;

export type TypeParameter = keyof SearchElements;
export type SearchParameter = TypeParameter | (typeof commonParameters)[number];

export const searchElements: Readonly<Record<string, SearchElements>> = {
  Account: { identifier: ['identifier'], patient: ['subject'], subject: ['subject'], status: ['status'] },
  ActivityDefinition: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  AdverseEvent: { subject: ['subject'], category: ['category'], date: ['date'] },
  AllergyIntolerance: {
    identifier: ['identifier'],
    patient: ['patient'],
    code: ['code', 'reaction.substance'],
    category: ['category'],
    date: ['recordedDate'],
  },
  Appointment: { identifier: ['identifier'], patient: ['participant.actor'], status: ['status'], date: ['start'] },
  AppointmentResponse: { identifier: ['identifier'], patient: ['actor'] },
  AuditEvent: { patient: ['agent.who', 'entity.what'], date: ['recorded'] },
  Basic: { identifier: ['identifier'], patient: ['subject'], subject: ['subject'], code: ['code'] },
  BodyStructure: { identifier: ['identifier'], patient: ['patient'] },
  Bundle: { identifier: ['identifier'] },
  CapabilityStatement: { url: ['url'], status: ['status'], date: ['date'] },
  CarePlan: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    category: ['category'],
    status: ['status'],
    date: ['period'],
  },
  CareTeam: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    category: ['category'],
    status: ['status'],
    date: ['period'],
  },
  ChargeItem: { identifier: ['identifier'], patient: ['subject'], subject: ['subject'], code: ['code'] },
  ChargeItemDefinition: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  Claim: { identifier: ['identifier'], patient: ['patient'], status: ['status'] },
  ClaimResponse: { identifier: ['identifier'], patient: ['patient'], status: ['status'] },
  ClinicalImpression: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    status: ['status'],
    date: ['date'],
  },
  CodeSystem: { url: ['url'], identifier: ['identifier'], code: ['concept.code'], status: ['status'], date: ['date'] },
  Communication: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    category: ['category'],
    status: ['status'],
  },
  CommunicationRequest: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    category: ['category'],
    status: ['status'],
  },
  CompartmentDefinition: { code: ['code'], status: ['status'], date: ['date'] },
  Composition: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    category: ['category'],
    status: ['status'],
    date: ['date'],
  },
  ConceptMap: { url: ['url'], identifier: ['identifier'], status: ['status'], date: ['date'] },
  Condition: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['code'],
    category: ['category'],
    date: ['onset[x]', 'recordedDate'],
  },
  Consent: {
    identifier: ['identifier'],
    patient: ['patient'],
    category: ['category'],
    status: ['status'],
    date: ['dateTime'],
  },
  Contract: { identifier: ['identifier'], patient: ['subject'], subject: ['subject'], status: ['status'] },
  Coverage: { identifier: ['identifier'], patient: ['beneficiary'], status: ['status'] },
  CoverageEligibilityRequest: { identifier: ['identifier'], patient: ['patient'], status: ['status'] },
  CoverageEligibilityResponse: { identifier: ['identifier'], patient: ['patient'], status: ['status'] },
  DetectedIssue: { identifier: ['identifier'], patient: ['patient'], code: ['code'], status: ['status'] },
  Device: { identifier: ['identifier'], patient: ['patient'], status: ['status'] },
  DeviceDefinition: { identifier: ['identifier'] },
  DeviceMetric: { identifier: ['identifier'], category: ['category'] },
  DeviceRequest: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['codeCodeableConcept'],
    status: ['status'],
  },
  DeviceUseStatement: { identifier: ['identifier'], patient: ['subject'], subject: ['subject'] },
  DiagnosticReport: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['code'],
    category: ['category'],
    status: ['status'],
    date: ['effective[x]'],
  },
  DocumentManifest: {
    identifier: ['masterIdentifier', 'identifier'],
    patient: ['subject'],
    subject: ['subject'],
    status: ['status'],
  },
  DocumentReference: {
    identifier: ['masterIdentifier', 'identifier'],
    patient: ['subject'],
    subject: ['subject'],
    category: ['category'],
    status: ['status'],
    date: ['date'],
  },
  EffectEvidenceSynthesis: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  Encounter: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    status: ['status'],
    date: ['period'],
  },
  Endpoint: { identifier: ['identifier'], status: ['status'] },
  EnrollmentRequest: { identifier: ['identifier'], patient: ['candidate'], subject: ['candidate'], status: ['status'] },
  EnrollmentResponse: { identifier: ['identifier'], status: ['status'] },
  EpisodeOfCare: { identifier: ['identifier'], patient: ['patient'], status: ['status'], date: ['period'] },
  EventDefinition: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  Evidence: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  EvidenceVariable: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  ExampleScenario: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  ExplanationOfBenefit: { identifier: ['identifier'], patient: ['patient'], status: ['status'] },
  FamilyMemberHistory: {
    identifier: ['identifier'],
    patient: ['patient'],
    code: ['condition.code'],
    status: ['status'],
    date: ['date'],
  },
  Flag: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    date: ['period'],
  },
  Goal: { identifier: ['identifier'], patient: ['subject'], subject: ['subject'], category: ['category'] },
  GraphDefinition: { status: ['status'], date: ['date'] },
  Group: { identifier: ['identifier'], member: ['member.entity'], code: ['code'] },
  GuidanceResponse: { identifier: ['identifier'], patient: ['subject'], subject: ['subject'] },
  HealthcareService: { identifier: ['identifier'] },
  ImagingStudy: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    status: ['status'],
    started: ['started'],
    modality: ['series.modality'],
    endpoint: ['endpoint', 'series.endpoint'],
  },
  Immunization: { identifier: ['identifier'], patient: ['patient'], status: ['status'], date: ['occurrence[x]'] },
  ImmunizationEvaluation: { identifier: ['identifier'], patient: ['patient'], status: ['status'], date: ['date'] },
  ImmunizationRecommendation: { identifier: ['identifier'], patient: ['patient'], date: ['date'] },
  ImplementationGuide: { url: ['url'], status: ['status'], date: ['date'] },
  InsurancePlan: { identifier: ['identifier'], status: ['status'] },
  Invoice: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    status: ['status'],
    date: ['date'],
  },
  Library: { url: ['url'], identifier: ['identifier'], status: ['status'], date: ['date'] },
  List: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['code'],
    status: ['status'],
    date: ['date'],
  },
  Location: { identifier: ['identifier'], status: ['status'] },
  Measure: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  MeasureReport: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    status: ['status'],
    date: ['date'],
  },
  Media: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    status: ['status'],
  },
  Medication: { identifier: ['identifier'], code: ['code'], status: ['status'] },
  MedicationAdministration: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    code: ['medicationCodeableConcept'],
    status: ['status'],
    date: ['effective[x]'],
  },
  MedicationDispense: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    code: ['medicationCodeableConcept'],
    status: ['status'],
  },
  MedicationKnowledge: { code: ['code'], status: ['status'] },
  MedicationRequest: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['medicationCodeableConcept'],
    category: ['category'],
    status: ['status'],
    date: ['authoredOn'],
  },
  MedicationStatement: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    code: ['medicationCodeableConcept'],
    category: ['category'],
    status: ['status'],
    date: ['effective[x]'],
  },
  MedicinalProduct: { identifier: ['identifier'] },
  MedicinalProductAuthorization: { identifier: ['identifier'], subject: ['subject'], status: ['status'] },
  MedicinalProductContraindication: { subject: ['subject'] },
  MedicinalProductIndication: { subject: ['subject'] },
  MedicinalProductInteraction: { subject: ['subject'] },
  MedicinalProductPackaged: { identifier: ['identifier'], subject: ['subject'] },
  MedicinalProductPharmaceutical: { identifier: ['identifier'] },
  MedicinalProductUndesirableEffect: { subject: ['subject'] },
  MessageDefinition: { identifier: ['identifier'], category: ['category'], status: ['status'], date: ['date'] },
  MessageHeader: { code: ['response.code'] },
  MolecularSequence: { identifier: ['identifier'], patient: ['patient'] },
  NamingSystem: { value: ['uniqueId.value'], status: ['status'], date: ['date'] },
  NutritionOrder: { identifier: ['identifier'], patient: ['patient'], encounter: ['encounter'], status: ['status'] },
  Observation: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['code'],
    category: ['category'],
    status: ['status'],
    date: ['effective[x]'],
  },
  OperationDefinition: { url: ['url'], code: ['code'], status: ['status'], date: ['date'] },
  Organization: { identifier: ['identifier'] },
  OrganizationAffiliation: { identifier: ['identifier'], date: ['period'] },
  Patient: {
    identifier: ['identifier'],
    gender: ['gender'],
    birthdate: ['birthDate'],
    active: ['active'],
    deceased: ['deceased[x]'],
  },
  PaymentNotice: { identifier: ['identifier'], status: ['status'] },
  PaymentReconciliation: { identifier: ['identifier'], status: ['status'] },
  Person: { identifier: ['identifier'], patient: ['link.target'] },
  PlanDefinition: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  Practitioner: { identifier: ['identifier'] },
  PractitionerRole: { identifier: ['identifier'], date: ['period'] },
  Procedure: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['code'],
    category: ['category'],
    status: ['status'],
    date: ['performed[x]'],
  },
  Provenance: { patient: ['target'], target: ['target'] },
  Questionnaire: { url: ['url'], identifier: ['identifier'], code: ['item.code'], status: ['status'], date: ['date'] },
  QuestionnaireResponse: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    status: ['status'],
  },
  RelatedPerson: { identifier: ['identifier'], patient: ['patient'] },
  RequestGroup: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['code'],
    status: ['status'],
  },
  ResearchDefinition: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  ResearchElementDefinition: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  ResearchStudy: { identifier: ['identifier'], category: ['category'], status: ['status'], date: ['period'] },
  ResearchSubject: { identifier: ['identifier'], patient: ['individual'], status: ['status'], date: ['period'] },
  RiskAssessment: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    date: ['occurrence[x]'],
  },
  RiskEvidenceSynthesis: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  Schedule: { identifier: ['identifier'], date: ['planningHorizon'] },
  SearchParameter: { url: ['url'], code: ['code'], status: ['status'], date: ['date'] },
  ServiceRequest: {
    identifier: ['identifier'],
    patient: ['subject'],
    subject: ['subject'],
    encounter: ['encounter'],
    code: ['code'],
    category: ['category'],
    status: ['status'],
  },
  Slot: { identifier: ['identifier'], status: ['status'] },
  Specimen: { identifier: ['identifier'], patient: ['subject'], subject: ['subject'], status: ['status'] },
  SpecimenDefinition: { identifier: ['identifier'] },
  StructureDefinition: { url: ['url'], identifier: ['identifier'], status: ['status'], date: ['date'] },
  StructureMap: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  Subscription: { status: ['status'] },
  Substance: {
    identifier: ['identifier'],
    code: ['code', 'ingredient.substanceCodeableConcept'],
    category: ['category'],
    status: ['status'],
  },
  SubstanceSpecification: { code: ['code.code'] },
  SupplyDelivery: { identifier: ['identifier'], patient: ['patient'], status: ['status'] },
  SupplyRequest: {
    identifier: ['identifier'],
    subject: ['deliverTo'],
    category: ['category'],
    status: ['status'],
    date: ['authoredOn'],
  },
  Task: {
    identifier: ['identifier'],
    patient: ['for'],
    subject: ['for'],
    encounter: ['encounter'],
    code: ['code'],
    status: ['status'],
  },
  TerminologyCapabilities: { status: ['status'], date: ['date'] },
  TestReport: { identifier: ['identifier'] },
  TestScript: { identifier: ['identifier'], status: ['status'], date: ['date'] },
  ValueSet: {
    url: ['url'],
    identifier: ['identifier'],
    code: ['expansion.contains.code', 'compose.include.concept.code'],
    status: ['status'],
    date: ['date'],
  },
  VisionPrescription: {
    identifier: ['identifier'],
    patient: ['patient'],
    encounter: ['encounter'],
    status: ['status'],
  },
};

/** The search parameters of a type, the common ones included, sorted by name. */
export function searchParametersOf(type: string): SearchParameter[] {
  return [...commonParameters, ...(Object.keys(searchElements[type] ?? {}) as TypeParameter[])].sort();
}
