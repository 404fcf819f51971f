import type { Extension, Quantity } from '@medplum/fhirtypes';
import type { Scale } from '../explanation/contribution.ts';
import { extensionUrls, ucumSystem } from './canonical-urls.ts';
import { contributionAmount } from './contribution-amount.ts';
import type { ResultRequest } from './result-request.ts';

/**
 * One extension `prediction-explanation` for each outcome that is scored and has contributions: by which method, in which
 * scale, what they start from and against what, and by how much they miss the score where they add up to it.
 */
export function explanationExtensions({ explanation, frame, inputs, model }: ResultRequest): Extension[] {
  if ('none' in explanation) return [];
  const { method } = model.manifest.explanation;
  const outcomes = new Map(frame.outcomes.map(({ outcome }) => [outcome.id, outcome]));
  /** With a unit: of a probability in percent, for a number between 0 and 1 could be read as either. */
  const amountOf = (id: string, scale: Scale, number: number): Quantity => {
    const outcome = outcomes.get(id);
    if (outcome === undefined) throw new RangeError(`${id} is no outcome of ${model.id}`);
    const { value, unit, code } = contributionAmount(outcome, scale, number);
    return { value, unit: code === '%' ? '%' : unit || code, system: ucumSystem, code };
  };
  return explanation.bases
    .filter(({ outcome }) => inputs.verdicts.get(outcome)?.state === 'score')
    .map(({ outcome, scale, base, residual }) => ({
      url: extensionUrls.explanation,
      extension: [
        { url: 'outcome', valueCode: outcome },
        { url: 'method', valueCode: method },
        { url: 'scale', valueCode: scale },
        { url: 'against', valueString: frame.against },
        ...(base === undefined ? [] : [{ url: 'base', valueQuantity: amountOf(outcome, scale, base) }]),
        ...(residual === undefined ? [] : [{ url: 'residual', valueQuantity: amountOf(outcome, scale, residual) }]),
      ],
    }));
}
