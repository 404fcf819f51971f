/** How numbers of a prediction are put into words: the same in a card as in the result that the store keeps. */
export { durationText, fhirDateTime } from '../results/duration.ts';
export { percentagePoints } from '../results/prediction-input.ts';
export { riskText } from '../results/risk-text.ts';
export { unitText } from '../results/unit-text.ts';
