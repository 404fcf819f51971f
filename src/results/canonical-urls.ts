/** Canonical URLs of the project's own FHIR definitions (see fhir-profiles/) and of the code systems results use. */

const own = 'https://fhirsight.org/fhir';

export const extensionUrls = {
  input: `${own}/StructureDefinition/prediction-input`,
  explanation: `${own}/StructureDefinition/prediction-explanation`,
  percent: `${own}/StructureDefinition/prediction-percent`,
  outcomeId: `${own}/StructureDefinition/prediction-outcome-id`,
  abstention: `${own}/StructureDefinition/prediction-abstention`,
  validUntil: `${own}/StructureDefinition/prediction-valid-until`,
  asOf: `${own}/StructureDefinition/prediction-as-of`,
  modelCard: `${own}/StructureDefinition/model-card`,
  interval: `${own}/StructureDefinition/prediction-interval`,
  classProbability: `${own}/StructureDefinition/prediction-class-probability`,
} as const;

export const predictionNamingSystem = `${own}/NamingSystem/prediction`;
/** Of a report, whatever it says: see `reportIdentifier`. */
export const reportNamingSystem = `${own}/NamingSystem/imaging-report`;
export const modelNamingSystem = `${own}/NamingSystem/model`;
export const modelEngineNamingSystem = `${own}/NamingSystem/model-engine`;
export const batchGradeSystem = `${own}/CodeSystem/batch-grade`;

export const ucumSystem = 'http://unitsofmeasure.org';
export const riskProbabilitySystem = 'http://terminology.hl7.org/CodeSystem/risk-probability';

/** Security label "Artificial Intelligence asserted" (AIT-1). */
export const aiAsserted = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'AIAST',
  display: 'Artificial Intelligence asserted',
} as const;

/** Label of what is about no real person (HL7 ActReason). */
export const testHealthData = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
  code: 'HTEST',
  display: 'test health data',
};

/** Profiles, extensions and code systems of HL7 AI Transparency on FHIR. */
export const aiTransparency = 'http://hl7.org/fhir/uv/aitransparency';
export const aiInputsSystem = `${aiTransparency}/CodeSystem/AIinputsCS`;

/** Type of an AI Device and role of an AI agent (AIT-3, AIT-4). */
export const artificialIntelligence = {
  system: `${aiTransparency}/CodeSystem/AIdeviceTypeCS`,
  code: 'Artificial-Intelligence',
} as const;

/** Bands are codes of the model version's own: their meaning is in its manifest. */
export function bandSystem(modelId: string, outcomeId: string): string {
  return `${own}/CodeSystem/band-${modelId}-${outcomeId}`;
}

/** Classes likewise. */
export function classSystem(modelId: string, outcomeId: string): string {
  return `${own}/CodeSystem/class-${modelId}-${outcomeId}`;
}
