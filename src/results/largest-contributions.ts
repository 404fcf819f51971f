import type { Contribution, FeaturePart } from '../explanation/contribution.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { baseOf, contributionAmount, contributionText } from './contribution-amount.ts';
import { inputText } from './input-text.ts';
import type { ResultRequest } from './result-request.ts';

/** How many a sentence names. */
const usual = 3;

/**
 * The largest contributions to one outcome as a sentence: `Largest contributions against the reference person: Systolic
 * blood pressure 151 mmHg (2026-01-10) +2.10 percentage points; …`. Undefined where there are none that can be told.
 */
export function largestContributions(request: ResultRequest, outcome: Outcome): string | undefined {
  const { explanation, frame, inputs } = request;
  if ('none' in explanation || outcome.kind === 'class') return undefined;
  const told = ranked(explanation.contributions, outcome.id).filter(
    ({ difference }) => contributionAmount(outcome, baseOf(explanation, outcome.id).scale, difference).value !== 0,
  );
  if (told.length === 0) return undefined;
  const items = told.slice(0, usual).map(({ feature, difference, part }) => {
    const input = frame.inputs.get(feature);
    const value = part === undefined ? inputText(inputs.features.get(feature), input?.unitText ?? '') : partText(part);
    return `${input?.labelText ?? feature} ${value} ${contributionText(outcome, baseOf(explanation, outcome.id).scale, difference)}`;
  });
  return `Largest contributions against ${frame.against}: ${items.join('; ')}.`;
}

/** Contributions to one outcome, the largest by absolute difference first; equal ones in their order. */
export function ranked(contributions: readonly Contribution[], outcome: string): Contribution[] {
  return contributions
    .filter((each) => each.outcome === outcome)
    .toSorted((one, other) => Math.abs(other.difference) - Math.abs(one.difference));
}

/** Which part of a feature a contribution is about. A word of a note is not repeated: only where it stands. */
export function partText(part: FeaturePart): string {
  return part.kind === 'bin' ? `bin ${part.bin + 1}` : `word ${part.index + 1}`;
}
