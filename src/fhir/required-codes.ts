/**
 * Codes of required bindings that R4's JSON schema writes as a plain `code`, for the elements that decide
 * whether a resource counts. Source: the R4 value sets of the same elements.
 */
export const requiredCodes: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  Observation: { status: observationStatus() },
  RiskAssessment: { status: observationStatus() },
  MedicationRequest: {
    status: ['active', 'on-hold', 'cancelled', 'completed', 'entered-in-error', 'stopped', 'draft', 'unknown'],
    intent: ['proposal', 'plan', 'order', 'original-order', 'reflex-order', 'filler-order', 'instance-order', 'option'],
    priority: requestPriority(),
  },
  MedicationStatement: {
    status: ['active', 'completed', 'entered-in-error', 'intended', 'stopped', 'on-hold', 'unknown', 'not-taken'],
  },
  MedicationAdministration: {
    status: ['in-progress', 'not-done', 'on-hold', 'completed', 'entered-in-error', 'stopped', 'unknown'],
  },
  MedicationDispense: {
    status: [
      'preparation',
      'in-progress',
      'cancelled',
      'on-hold',
      'completed',
      'entered-in-error',
      'stopped',
      'declined',
      'unknown',
    ],
  },
  Medication: { status: ['active', 'inactive', 'entered-in-error'] },
  Procedure: {
    status: [
      'preparation',
      'in-progress',
      'not-done',
      'on-hold',
      'stopped',
      'completed',
      'entered-in-error',
      'unknown',
    ],
  },
  Immunization: { status: ['completed', 'entered-in-error', 'not-done'] },
  ServiceRequest: {
    status: ['draft', 'active', 'on-hold', 'revoked', 'completed', 'entered-in-error', 'unknown'],
    intent: [
      'proposal',
      'plan',
      'directive',
      'order',
      'original-order',
      'reflex-order',
      'filler-order',
      'instance-order',
      'option',
    ],
    priority: requestPriority(),
  },
};

/** Required bindings of coded concepts: the codes that may stand under the binding's own system. */
export const requiredConcepts: readonly {
  readonly type: string;
  readonly element: string;
  readonly system: string;
  readonly codes: readonly string[];
}[] = [
  {
    type: 'Condition',
    element: 'clinicalStatus',
    system: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
    codes: ['active', 'recurrence', 'relapse', 'inactive', 'remission', 'resolved'],
  },
  {
    type: 'Condition',
    element: 'verificationStatus',
    system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
    codes: ['unconfirmed', 'provisional', 'differential', 'confirmed', 'refuted', 'entered-in-error'],
  },
  {
    type: 'AllergyIntolerance',
    element: 'clinicalStatus',
    system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical',
    codes: ['active', 'inactive', 'resolved'],
  },
  {
    type: 'AllergyIntolerance',
    element: 'verificationStatus',
    system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
    codes: ['unconfirmed', 'confirmed', 'refuted', 'entered-in-error'],
  },
];

function observationStatus(): readonly string[] {
  return ['registered', 'preliminary', 'final', 'amended', 'corrected', 'cancelled', 'entered-in-error', 'unknown'];
}

function requestPriority(): readonly string[] {
  return ['routine', 'urgent', 'asap', 'stat'];
}
