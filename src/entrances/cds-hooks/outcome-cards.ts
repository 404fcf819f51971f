import { clipped, plainText } from '../../fhir/markdown-text.ts';
import type { CdsLevel } from '../../model-catalog/cds-card-schema.ts';
import type { Level } from '../../model-catalog/outcome-score.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import { fhirDateTime, scoreText } from '../../prediction/prediction-words.ts';
import { abstentionDetail } from './abstention-detail.ts';
import { buildCard, type Card, type CardFrame } from './card.ts';
import { cardSuggestions } from './card-suggestions.ts';
import type { HookService } from './hook-service.ts';
import { riskDetail } from './risk-detail.ts';

/** CDS-32: fewer than 140 characters. */
export const summaryLength = 139;

/** The cards of one outcome: one, or none where the manifest says so. @param timeZone IANA zone of the site */
export function outcomeCards(
  service: HookService,
  outcome: PredictionOutcome,
  frame: CardFrame,
  timeZone: string,
): readonly Card[] {
  const { declared, version } = service;
  const about = service.outcome.id;
  const verdict = outcome.inputs.verdicts.get(about);
  const kept = { result: outcome.identifier, asOf: fhirDateTime(outcome.asOf, timeZone) };
  if (verdict !== undefined && verdict.state !== 'score') {
    const { cards } = declared;
    const kind = verdict.state === 'not-eligible' ? 'notEligible' : 'abstained';
    const indicator = cards[kind];
    if (indicator === 'none') return [];
    const summary = abstentionSummary(verdict.state, version.manifest.title);
    const detail = abstentionDetail(service, outcome, { timeZone, template: cards.details?.[kind] });
    return [buildCard(service, frame, { summary, indicator, detail, prediction: { state: verdict.state, ...kept } })];
  }
  const score = outcome.state === 'scored' ? outcome.scores.get(about) : undefined;
  if (outcome.state !== 'scored' || score === undefined)
    throw new RangeError(`the outcome of ${service.id} has neither a score nor a reason why not`);
  const band = outcome.levels.get(about);
  const level = levelOf(service, band?.code, score);
  if (level.show === 'none') return [];
  const at = { score, band: band?.code };
  return [
    buildCard(service, frame, {
      summary: scoreSummary(service, band, score),
      indicator: level.show,
      detail: riskDetail(service, outcome, score, { timeZone, template: level.detail }),
      suggestions: cardSuggestions(service, at, frame),
      prediction: { state: 'scored', score, ...kept },
    }),
  ];
}

/** What the manifest declares for a score. */
export function levelOf({ id, declared }: HookService, band: string | undefined, score: number): CdsLevel {
  const level = declared.cards.scored.findLast((one) => ('band' in one ? one.band === band : one.from <= score));
  if (level === undefined) throw new RangeError(`the service ${id} does not say what is shown for this score`);
  return level;
}

/** Score, horizon, band and model always; the outcome's name as far as there is room. @param room in characters */
export function scoreSummary(
  { outcome, version }: HookService,
  level: Level | undefined,
  score: number,
  room = summaryLength,
): string {
  const band = outcome.kind === 'class' ? undefined : level;
  const risk = scoreText(outcome, score);
  const head = band === undefined ? risk : `${risk}, ${clipped(plainText(band.display), 40)}`;
  const model = ` (${clipped(plainText(version.manifest.title), Math.min(48, room - head.length - 3))})`;
  const label = clipped(plainText(outcome.label), room - head.length - model.length - 2);
  return label.length < 4 ? `${head}${model}` : `${head}: ${label}${model}`;
}

const abstentions = {
  'not-eligible': 'No risk is given: the model is not made for this patient.',
  'insufficient-data': 'No risk is given: inputs that the model needs are missing.',
  'out-of-range': 'No risk is given: an input lies outside the range of the model.',
} as const;

/** That no number is given, and of what kind the reason is. */
export function abstentionSummary(state: keyof typeof abstentions, title: string): string {
  return `${abstentions[state]} (${clipped(plainText(title), 60)})`;
}
