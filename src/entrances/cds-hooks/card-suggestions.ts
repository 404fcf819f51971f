import { choicesAt } from '../../model-catalog/cds-cards/choices-at.ts';
import { fillDraft } from '../../model-catalog/cds-cards/draft.ts';
import { suggestionUuid } from '../../model-catalog/cds-cards/suggestion-uuid.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { CardFrame, Suggestion } from './card.ts';
import type { HookService } from './hook-service.ts';

/**
 * What the owner of the model suggests at this score (CDS-37 to CDS-40), each draft for the patient and the encounter of the
 * call. Nothing of it is ours but the references.
 * @throws RESULT_INVALID where a draft is not valid in FHIR R4 for this patient
 */
export function cardSuggestions(
  { id, declared, version }: HookService,
  at: { readonly score: number; readonly band: string | undefined },
  { uuid, patientId, encounterId, findings }: CardFrame,
): Suggestion[] {
  return choicesAt(declared.suggestions, at).map(({ choice, index }) => {
    const { label, isRecommended, actions } = choice;
    const filled = actions?.map(({ type, description, resource: file }) => {
      const draft = version.cardFiles.drafts.get(file);
      if (draft === undefined) throw new RangeError(`${version.key} has no ${file}, which its service ${id} suggests`);
      const resource = fillDraft(draft, { patientId, encounterId });
      const [found] = findings(resource, file);
      if (found !== undefined)
        throw new PredictionError(
          'RESULT_INVALID',
          `The draft ${file} of ${version.key} is not valid in FHIR R4 once it is filled in: ${found.message}`,
        );
      return { type, description, resource };
    });
    return {
      label,
      uuid: suggestionUuid(uuid, index),
      ...(isRecommended === undefined ? {} : { isRecommended }),
      ...(filled === undefined ? {} : { actions: filled }),
    };
  });
}
