import { listed, markdownText } from '../../fhir/markdown-text.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import type { HookService } from './hook-service.ts';
import { signature } from './signature.ts';

/** Why no number is given, in words, as Markdown. */
export function abstentionDetail(service: HookService, outcome: PredictionOutcome, timeZone: string): string {
  const verdict = outcome.inputs.verdicts.get(service.outcome.id);
  const reasons = verdict === undefined || verdict.state === 'score' ? [] : verdict.reasons;
  return [
    `The model gives no number for: ${markdownText(service.outcome.label)}. What is missing or unfit is not replaced by a guess.`,
    listed(reasons.map(({ message }) => markdownText(message))),
    ...(service.cautions === '' ? [] : [`**What to keep in mind**\n\n${service.cautions}`]),
    signature(service, outcome, timeZone),
  ].join('\n\n');
}
