import type { RiskAssessmentPrediction } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import { extensionUrls, ucumSystem } from './canonical-urls.ts';
import { largestContributions } from './largest-contributions.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import { smallestPlainPercent, toPercent } from './percent.ts';
import type { ResultRequest } from './result-request.ts';
import type { ResultTimes } from './result-times.ts';
import { scoreLevel } from './score-level.ts';
import { scoreText } from './score-text.ts';

/** One outcome's risk as RiskAssessment.prediction, and the same in words. */
export interface RiskPrediction {
  readonly prediction: RiskAssessmentPrediction;
  /** Escaped, for the narrative. */
  readonly xhtml: string;
}

const unit = { unit: '%', system: ucumSystem, code: '%' } as const;
const limit = { value: smallestPlainPercent, ...unit };

/**
 * The risk of one outcome: percentage, band, period from as-of (RA-2, RA-2a, RA-3, RA-5). A risk above 0 and below
 * 0.000001 %, which JSON would write with an exponent, becomes a range that ends there.
 * Throws RESULT_INVALID for a score that is no probability.
 */
export function riskPrediction(
  request: ResultRequest,
  { outcome, id, concept, levels }: OutcomeFrame,
  times: ResultTimes,
  probability: number | undefined,
): RiskPrediction {
  const { model } = request;
  if (outcome.kind !== 'probability' || probability === undefined || !(probability >= 0 && probability <= 1)) {
    throw new PredictionError(
      'RESULT_INVALID',
      `${model.id}@${model.version} gives no probability between 0 and 1 for ${outcome.id}, which its verdict lets it score.`,
    );
  }
  const published = scoreLevel(outcome, probability);
  const band = published && levels.get(published);
  const whenPeriod = times.periods.get(outcome.horizon);
  if ((published !== undefined && band === undefined) || whenPeriod === undefined) {
    throw new PredictionError('RESULT_INVALID', `Outcome ${outcome.id} is not of this version of ${model.id}.`);
  }
  const text = scoreText(outcome, probability);
  const percent = toPercent(probability);
  const tiny = percent > 0 && percent < smallestPlainPercent;
  return {
    xhtml: band === undefined ? text : `${text}, ${band.displayXhtml}`,
    prediction: {
      extension: [
        id,
        {
          url: extensionUrls.percent,
          valueQuantity: tiny ? { comparator: '<', ...limit } : { value: percent, ...unit },
        },
      ],
      outcome: concept,
      ...(tiny ? { probabilityRange: { low: { value: 0, ...unit }, high: limit } } : { probabilityDecimal: percent }),
      ...(band === undefined ? undefined : { qualitativeRisk: band.concept }),
      whenPeriod,
      rationale: [band === undefined ? text : `${text}. ${band.sentence}`, largestContributions(request, outcome)]
        .filter((sentence) => sentence !== undefined)
        .join('. '),
    },
  };
}
