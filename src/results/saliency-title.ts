import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { isProbable } from '../model-catalog/outcome-score.ts';
import type { Saliency } from '../model-catalog/saliency-schema.ts';
import { contributionText } from './contribution-amount.ts';
import { shiftDecimal, toPercent } from './percent.ts';
import { scoreText } from './score-text.ts';

/** What a picture of where an image moved a score is about. */
export interface SaliencyText {
  readonly outcome: Outcome;
  /** Unrounded. */
  readonly score: number;
  /** Of a class that is said. */
  readonly classProbability?: number;
  readonly saliency: Saliency;
  /** What the strongest colour stands for. */
  readonly strongest: number;
}

/** What a reader must know to read such a picture: what it is about, how it was made, and what its colours mean. */
export function saliencyTitle(text: SaliencyText): string {
  const { outcome, score, saliency } = text;
  const said = `${outcome.label}: ${scoreText(outcome, score)}${probabilityText(text)}.`;
  const unseen = 'Dark and hatched: not seen by the model.';
  if (saliency.by === 'activation')
    return `${said} Orange: where the activation map of the model itself (${saliency.output}) is above 0; blue: below. The strongest colour is its greatest value; it says where, not how much. ${unseen}`;
  const it = outcome.kind === 'class' ? 'its probability' : 'it';
  const [rows, columns] = saliency.patch;
  const baseline = saliency.baseline === 'mean' ? 'the mean of the image' : `the value ${saliency.baseline}`;
  return `${said} Orange: what raised ${it}; blue: what lowered it; the strongest colour: by ${amountText(text)}. Occlusion: the difference made by ${baseline} in the place of ${rows} × ${columns} pixels of what the model was given. ${unseen}`;
}

function probabilityText({ classProbability }: SaliencyText): string {
  if (classProbability === undefined) return '';
  return ` (${toPercent(classProbability).toFixed(1)} %)`;
}

function amountText({ outcome, strongest }: SaliencyText): string {
  if (outcome.kind === 'class' || isProbable(outcome))
    return `${Number(shiftDecimal(String(strongest), 2)).toFixed(2)} percentage points`;
  return contributionText(outcome, 'score', strongest).replace('+', '');
}
