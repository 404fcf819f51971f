/** The code system of `overrideReasons`, as `fhir-profiles` defines it. */
const system = 'https://fhirsight.org/fhir/CodeSystem/card-override-reason';

/** Why a clinician may set an estimate aside (CDS-41), where the model has no list of its own. */
export const usualOverrideReasons = [
  { system, code: 'inputs-wrong', display: 'Inputs are wrong or out of date' },
  { system, code: 'does-not-apply', display: 'Does not apply to this patient' },
  { system, code: 'already-addressed', display: 'Already addressed' },
  { system, code: 'disagree', display: 'Clinical judgement differs' },
] as const;
