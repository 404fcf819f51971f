import { createHash } from 'node:crypto';
import { mostChoices } from '../cds-card-schema.ts';

/**
 * UUID of a suggestion: made of that of its card and its place among the choices of the service, so that feedback is
 * understood without keeping what was suggested (version 8 of RFC 9562).
 */
export function suggestionUuid(card: string, index: number): string {
  const hex = createHash('sha256').update(`${card.toLowerCase()} ${index}`).digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** The place of the choice whose suggestion on this card has this UUID; undefined where none has. */
export function suggestedChoice(card: string, uuid: string): number | undefined {
  const wanted = uuid.toLowerCase();
  for (let index = 0; index < mostChoices; index += 1) if (suggestionUuid(card, index) === wanted) return index;
  return undefined;
}
