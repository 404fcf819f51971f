/** The types that say what a patient takes, each of a Medication that it codes in place or refers to. */
export const medicationTypes = [
  'MedicationRequest',
  'MedicationStatement',
  'MedicationAdministration',
  'MedicationDispense',
] as const;

export type MedicationType = (typeof medicationTypes)[number];

export function isMedicationType(type: string): type is MedicationType {
  return (medicationTypes as readonly string[]).includes(type);
}
