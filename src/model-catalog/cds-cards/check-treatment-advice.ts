import { type RegulatoryStatusCode, regulatoryStatusNames } from '../card/regulatory-schema.ts';
import type { Finding } from '../finding.ts';
import type { ModelCard } from '../model-card-schema.ts';
import type { CardFiles } from './read-card-files.ts';

/** With these nobody has looked at whether a program may advise a treatment, or has taken that back. */
const without: readonly RegulatoryStatusCode[] = ['none', 'withdrawn'];

/** A draft MedicationRequest is treatment advice: a model without a regulatory status may not give any. */
export function checkTreatmentAdvice(card: ModelCard, { drafts }: CardFiles): Finding[] {
  const statuses = card.regulatory.map(({ status }) => status);
  const isAllowed = statuses.some((status) => !without.includes(status)) && !statuses.includes('withdrawn');
  if (isAllowed) return [];
  return [...drafts]
    .filter(([, { resourceType }]) => resourceType === 'MedicationRequest')
    .map(([file]) => ({
      file,
      path: '/resourceType',
      message: `is treatment advice, and the card says of the model: ${statuses.map((status) => regulatoryStatusNames[status]).join(', ')}; leave it out, or name the status in /regulatory of model-card.json`,
    }));
}
