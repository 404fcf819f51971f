import type { CodeableConcept, RiskAssessmentPrediction } from '@medplum/fhirtypes';
import type { Band, Outcome } from '../model-catalog/manifest-schema.ts';
import { PredictionError } from '../platform/errors.ts';
import { bandSystem, extensionUrls, riskProbabilitySystem, ucumSystem } from './canonical-urls.ts';
import { addDuration, durationText, fhirDateTime } from './duration.ts';
import { shiftDecimal, smallestPlainPercent, toPercent } from './percent.ts';
import type { ResultRequest } from './result-request.ts';
import { riskBand } from './risk-band.ts';
import { riskText } from './risk-text.ts';

/** One outcome's risk as RiskAssessment.prediction, and the same in words. */
export interface RiskPrediction {
  readonly prediction: RiskAssessmentPrediction;
  readonly text: string;
}

/**
 * The risk of one outcome: percentage, band, period from as-of (RA-2, RA-2a, RA-3, RA-5). A risk above 0 and below
 * 0.000001 %, which JSON would write with an exponent, becomes a range that ends there.
 * Throws RESULT_INVALID for a score that is no probability.
 */
export function riskPrediction(
  request: ResultRequest,
  outcome: Outcome,
  probability: number | undefined,
): RiskPrediction {
  if (probability === undefined || !(probability >= 0 && probability <= 1)) {
    throw new PredictionError(
      'RESULT_INVALID',
      `${request.model.id}@${request.model.version} gives no probability between 0 and 1 for ${outcome.id}, which its verdict lets it score.`,
    );
  }
  const band = riskBand(outcome, probability);
  const levels = outcome.bands?.levels;
  const text = `${riskText(probability, levels)} over ${durationText(outcome.horizon)}`;
  const bandSentence = band === undefined ? '' : `. ${bandText(band)} (${outcome.bands?.citation})`;
  const percent = toPercent(probability);
  const tiny = percent > 0 && percent < smallestPlainPercent;
  const unit = { unit: '%', system: ucumSystem, code: '%' } as const;
  const limit = { value: smallestPlainPercent, ...unit };
  return {
    text: `${text}${band === undefined ? '' : `, ${band.display}`}`,
    prediction: {
      extension: [
        { url: extensionUrls.outcomeId, valueCode: outcome.id },
        {
          url: extensionUrls.percent,
          valueQuantity: tiny ? { comparator: '<', ...limit } : { value: percent, ...unit },
        },
      ],
      outcome: { ...(outcome.coding === undefined ? {} : { coding: [...outcome.coding] }), text: outcome.label },
      ...(tiny ? { probabilityRange: { low: { value: 0, ...unit }, high: limit } } : { probabilityDecimal: percent }),
      ...(band === undefined ? {} : { qualitativeRisk: qualitativeRisk(request, outcome, band) }),
      whenPeriod: {
        start: fhirDateTime(request.asOf, request.timeZone),
        end: fhirDateTime(addDuration(request.asOf, outcome.horizon, request.timeZone), request.timeZone),
      },
      rationale: `${text}${bandSentence}`,
    },
  };
}

function qualitativeRisk({ model }: ResultRequest, outcome: Outcome, band: Band): CodeableConcept {
  const own = {
    system: bandSystem(model.id, outcome.id),
    version: model.version,
    code: band.code,
    display: band.display,
  };
  return {
    coding: [
      own,
      ...(band.riskProbability === undefined ? [] : [{ system: riskProbabilitySystem, code: band.riskProbability }]),
    ],
    text: band.display,
  };
}

function bandText({ display, from, below }: Band): string {
  const lower = shiftDecimal(String(from), 2);
  if (below === undefined) return `Band: ${display}, ${lower} % and above`;
  return `Band: ${display}, ${lower} % to below ${shiftDecimal(String(below), 2)} %`;
}
