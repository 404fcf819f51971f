/** How numbers of a prediction are put into words: the same in a card as in the result that the store keeps. */
export { contributionAmount, contributionText } from '../results/contribution-amount.ts';
export { fhirDateTime } from '../results/duration.ts';
export { scoreText } from '../results/score-text.ts';
export { unitText } from '../results/unit-text.ts';
