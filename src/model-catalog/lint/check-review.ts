import { isOverdue } from '../card/card-words.ts';
import type { Finding } from '../finding.ts';
import type { ModelCard } from '../model-card-schema.ts';

/** A card whose next review was due before `today` (`YYYY-MM-DD`). */
export function checkReview(card: ModelCard, today: string): Finding[] {
  if (!isOverdue(card, today)) return [];
  const message = `was due before ${today}: have the model reviewed, and write both days`;
  return [{ file: 'model-card.json', path: '/review/next', message }];
}
