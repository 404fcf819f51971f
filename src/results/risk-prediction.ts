import type { Extension, RiskAssessmentPrediction } from '@medplum/fhirtypes';
import { escapeXhtml } from '../fhir/xhtml.ts';
import type { SurvivalOutcome } from '../model-catalog/outcome-schema.ts';
import { isRisk } from '../model-catalog/outcome-score.ts';
import { type CurvePoint, pointId } from '../model-catalog/survival-curve.ts';
import { PredictionError } from '../platform/errors.ts';
import { extensionUrls, ucumSystem } from './canonical-urls.ts';
import { detailText } from './detail-text.ts';
import { durationText } from './duration.ts';
import { largestContributions } from './largest-contributions.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import { smallestPlainPercent, toPercent } from './percent.ts';
import type { ResultRequest } from './result-request.ts';
import type { ResultTimes } from './result-times.ts';
import { riskText } from './risk-text.ts';
import { scoreLevel } from './score-level.ts';
import { scoreText } from './score-text.ts';

/** One outcome's risk as RiskAssessment.prediction, and the same in words. */
export interface RiskPrediction {
  /** One; of a survival curve one for each of its times, each with its own period. */
  readonly predictions: readonly RiskAssessmentPrediction[];
  /** Escaped, for the narrative. */
  readonly xhtml: string;
}

const unit = { unit: '%', system: ucumSystem, code: '%' } as const;
const limit = { value: smallestPlainPercent, ...unit };

/**
 * The risk of one outcome: percentage, band, period from as-of (RA-2, RA-2a, RA-3, RA-5). A risk above 0 and below
 * 0.000001 %, which JSON would write with an exponent, becomes a range that ends there.
 * Throws RESULT_INVALID for a score that is no probability, and for a curve whose points are none or fall.
 */
export function riskPrediction(
  request: ResultRequest,
  { outcome, id, concept, levels }: OutcomeFrame,
  times: ResultTimes,
  probability: number | undefined,
): RiskPrediction {
  const { model, details } = request;
  if (!isRisk(outcome) || !isProbability(probability)) {
    throw new PredictionError(
      'RESULT_INVALID',
      `${model.id}@${model.version} gives no probability between 0 and 1 for ${outcome.id}, which its verdict lets it score.`,
    );
  }
  const published = scoreLevel(outcome, probability);
  const band = published && levels.get(published.code);
  if (published !== undefined && band === undefined) throw notOfThisVersion(model, outcome.id);
  const detail = details.get(outcome.id);
  const text = scoreText(outcome, probability);
  const others = detailText(outcome, detail);
  const predictionOf = (at: string, risk: number, own: Extension, said: string): RiskAssessmentPrediction => {
    const whenPeriod = times.periods.get(at);
    if (whenPeriod === undefined) throw notOfThisVersion(model, outcome.id);
    return {
      extension: [own, percentOf(risk)],
      outcome: concept,
      ...probabilityElement(risk),
      whenPeriod,
      rationale: said,
    };
  };
  const rationale = [band === undefined ? text : `${text}. ${band.sentence}`, largestContributions(request, outcome)]
    .filter((sentence) => sentence !== undefined)
    .join('. ');
  const main: RiskAssessmentPrediction = {
    ...predictionOf(outcome.horizon, probability, id, rationale),
    ...(band === undefined ? undefined : { qualitativeRisk: band.concept }),
  };
  const head = band === undefined ? text : `${text}, ${band.displayXhtml}`;
  if (outcome.kind === 'probability') return { predictions: [main], xhtml: head };
  const curve = checkedCurve(model, outcome, detail?.curve, probability);
  return {
    predictions: curve.map(({ at, risk }) => {
      if (at === outcome.horizon) return main;
      const own = { url: extensionUrls.outcomeId, valueCode: pointId(outcome, at) };
      return predictionOf(at, risk, own, `${riskText(risk)} over ${durationText(at)}`);
    }),
    xhtml: others === undefined ? head : `${head} (${escapeXhtml(others)})`,
  };
}

/** The last gate of a curve: a point of every time, none of which falls below the one before. */
function checkedCurve(
  model: ResultRequest['model'],
  { id, times, horizon }: SurvivalOutcome,
  curve: readonly CurvePoint[] | undefined,
  score: number,
): readonly CurvePoint[] {
  const isWhole =
    curve !== undefined &&
    curve.length === times.length &&
    curve.every(({ at, risk }, index) => {
      const before = curve[index - 1]?.risk ?? 0;
      return at === times[index]?.at && isProbability(risk) && risk >= before && (at !== horizon || risk === score);
    });
  if (isWhole) return curve;
  throw new PredictionError(
    'RESULT_INVALID',
    `${model.id}@${model.version} gives no whole curve that rises for ${id}.`,
  );
}

function isProbability(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= 1;
}

function percentOf(risk: number): Extension {
  return {
    url: extensionUrls.percent,
    valueQuantity: isTiny(risk) ? { comparator: '<', ...limit } : { value: toPercent(risk), ...unit },
  };
}

function probabilityElement(
  risk: number,
): Pick<RiskAssessmentPrediction, 'probabilityDecimal'> | Pick<RiskAssessmentPrediction, 'probabilityRange'> {
  return isTiny(risk)
    ? { probabilityRange: { low: { value: 0, ...unit }, high: limit } }
    : { probabilityDecimal: toPercent(risk) };
}

function isTiny(risk: number): boolean {
  const percent = toPercent(risk);
  return percent > 0 && percent < smallestPlainPercent;
}

function notOfThisVersion(model: ResultRequest['model'], outcome: string): PredictionError {
  return new PredictionError('RESULT_INVALID', `Outcome ${outcome} is not of this version of ${model.id}.`);
}
