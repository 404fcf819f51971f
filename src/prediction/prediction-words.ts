/** How numbers of a prediction are put into words: the same in a card as in the result that the store keeps. */
export { baseOf, contributionAmount, contributionText } from '../results/contribution-amount.ts';
export { againstText } from '../results/contribution-method.ts';
export { detailText } from '../results/detail-text.ts';
export { fhirDateTime } from '../results/duration.ts';
export { inputText } from '../results/input-text.ts';
export { partText } from '../results/largest-contributions.ts';
export { preliminary } from '../results/remarks.ts';
export { reportFirstLine } from '../results/report-first-line.ts';
export { reportProbability } from '../results/report-probability.ts';
export { versionRemarks } from '../results/result-frame.ts';
export { scoreLevel } from '../results/score-level.ts';
export { scoreText } from '../results/score-text.ts';
export { unitText } from '../results/unit-text.ts';
