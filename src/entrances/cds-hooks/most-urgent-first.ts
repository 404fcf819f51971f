import type { Card } from './card.ts';

const urgency = { critical: 0, warning: 1, info: 2 } as const;

/** The cards of a call in the order in which a client shows them; equally urgent ones as they came. */
export function mostUrgentFirst(cards: readonly Card[]): Card[] {
  return cards.toSorted((one, other) => urgency[one.indicator] - urgency[other.indicator]);
}
