import type {
  QuestionnaireResponse,
  QuestionnaireResponseItem,
  QuestionnaireResponseItemAnswer,
} from '@medplum/fhirtypes';
import { changesMeaning } from './unknown-meaning.ts';
import { isAnswered } from './value-elements.ts';

/** The answers to one question, or `unknown-modifier` where one stands in something that must not be read. */
export type Answers = readonly QuestionnaireResponseItemAnswer[] | 'unknown-modifier';

/** Every answer to an item of this linkId, at whatever depth: in groups, in repeated groups and below other answers. */
export function answersOf(response: QuestionnaireResponse, linkId: string): Answers {
  if (changesMeaning(response)) return 'unknown-modifier';
  const found: QuestionnaireResponseItemAnswer[] = [];
  return collect(response.item ?? [], linkId, found) ? found : 'unknown-modifier';
}

/** @returns false where a found item, or one around it, carries a modifier */
function collect(
  items: readonly QuestionnaireResponseItem[],
  linkId: string,
  found: QuestionnaireResponseItemAnswer[],
): boolean {
  for (const item of items) {
    const before = found.length;
    if (item.linkId === linkId) {
      for (const answer of item.answer ?? []) if (isAnswered(answer)) found.push(answer);
    }
    if (!collect(item.item ?? [], linkId, found)) return false;
    for (const answer of item.answer ?? []) if (!collect(answer.item ?? [], linkId, found)) return false;
    const isModified = changesMeaning(item) || (item.answer ?? []).some(changesMeaning);
    if (isModified && found.length > before) return false;
  }
  return true;
}
