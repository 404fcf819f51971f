import type { Extension, Observation, ObservationReferenceRange, Quantity } from '@medplum/fhirtypes';
import { isPlainNumber } from '../fhir/plain-number.ts';
import { escapeXhtml } from '../fhir/xhtml.ts';
import { bandsOf, pointsUnit, scoreMisfit } from '../model-catalog/outcome-score.ts';
import { PredictionError } from '../platform/errors.ts';
import { ucumSystem } from './canonical-urls.ts';
import { detailText } from './detail-text.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import { smallestPlainPercent, toPercent } from './percent.ts';
import type { ResultRequest } from './result-request.ts';
import { scoreLevel } from './score-level.ts';
import { scoreText } from './score-text.ts';
import { unitText } from './unit-text.ts';
import { valueExtensions } from './value-extensions.ts';

/** What an Observation and one of its components have in common. */
type Value = Pick<Observation, 'valueQuantity' | 'valueCodeableConcept' | 'interpretation' | 'referenceRange'>;

/** One outcome's score as the value of an Observation, and the same in words. */
export interface ObservedValue {
  readonly value: Value;
  /** What stands beside it. */
  readonly extension: readonly Extension[];
  /** Escaped, for the narrative. */
  readonly xhtml: string;
}

/**
 * Points, measurements and anomalies as a Quantity with its band as interpretation, a class as a CodeableConcept. Nothing is
 * rounded. Throws RESULT_INVALID for a score that the outcome cannot have, or that JSON would write with an exponent.
 */
export function observedValue(
  { model, details }: Pick<ResultRequest, 'model' | 'details'>,
  frame: OutcomeFrame,
  score: number | undefined,
): ObservedValue {
  const { outcome, levels } = frame;
  const misfit =
    scoreMisfit(outcome, score) ?? (isTold(frame.outcome, score) ? undefined : 'not written in plain digits');
  if (score === undefined || misfit !== undefined) {
    throw new PredictionError(
      'RESULT_INVALID',
      `${model.id}@${model.version}: the score of ${outcome.id} is ${misfit}.`,
    );
  }
  const published = scoreLevel(outcome, score);
  const level = published && levels.get(published.code);
  const text = scoreText(outcome, score);
  const detail = details.get(outcome.id);
  const extension = valueExtensions(outcome, score, detail);
  if (outcome.kind === 'class') {
    if (level === undefined) throw new RangeError(`${outcome.id} is not of this version of ${model.id}`);
    const said = detailText(outcome, detail);
    const xhtml = said === undefined ? level.displayXhtml : `${level.displayXhtml}, ${escapeXhtml(said)}`;
    return { extension, value: { valueCodeableConcept: level.concept }, xhtml };
  }
  return {
    extension,
    xhtml: level === undefined ? text : `${text}, ${level.displayXhtml}`,
    value: {
      valueQuantity: { ...amountOf(outcome, score), ...unitOf(outcome) },
      ...(level === undefined
        ? undefined
        : { interpretation: [level.concept], referenceRange: referenceRanges(frame) }),
    },
  };
}

/** Whether JSON writes the score in plain digits; of a finding what is too small is told as a limit. */
function isTold({ kind }: OutcomeFrame['outcome'], score = 0): boolean {
  return kind === 'finding' || isPlainNumber(score);
}

/** Of a finding how probable it is in percent, as in every result (RA-2a): 0.37 is 37 %. */
function amountOf(outcome: OutcomeFrame['outcome'], score: number): Pick<Quantity, 'value' | 'comparator'> {
  if (outcome.kind !== 'finding') return { value: score };
  const percent = toPercent(score);
  // JSON would write it with an exponent.
  return percent > 0 && percent < smallestPlainPercent
    ? { value: smallestPlainPercent, comparator: '<' }
    : { value: percent };
}

/** An anomaly has none: it is no amount of anything. */
function unitOf(outcome: OutcomeFrame['outcome']): Omit<NonNullable<Observation['valueQuantity']>, 'value'> {
  if (outcome.kind === 'anomaly') return {};
  if (outcome.kind === 'finding') return { unit: '%', system: ucumSystem, code: '%' };
  const [unit, code] = outcome.kind === 'measurement' ? [unitText(outcome.unit), outcome.unit] : ['points', pointsUnit];
  return { unit: unit || code, system: ucumSystem, code };
}

/** The published bands, each of a type of its own: a range without a type would read as the normal one. */
function referenceRanges({ outcome, levels }: OutcomeFrame): ObservationReferenceRange[] {
  return bandsOf(outcome).flatMap((band) => {
    const level = levels.get(band.code);
    return level === undefined ? [] : [{ type: level.concept, text: level.sentence }];
  });
}
