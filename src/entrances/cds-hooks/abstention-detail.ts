import { listed, markdownText } from '../../fhir/markdown-text.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import { type DetailOptions, fillTemplate } from './fill-template.ts';
import type { HookService } from './hook-service.ts';
import { signature } from './signature.ts';

/** Why no number is given, in words, as Markdown. */
export function abstentionDetail(
  service: HookService,
  outcome: PredictionOutcome,
  { timeZone, template }: DetailOptions,
): string {
  const verdict = outcome.inputs.verdicts.get(service.outcome.id);
  const found = verdict === undefined || verdict.state === 'score' ? [] : verdict.reasons;
  const blocks = {
    reasons: listed(found.map(({ message }) => markdownText(message))),
    basis: service.cautions === '' ? '' : `**What to keep in mind**\n\n${service.cautions}`,
    signature: signature(service, outcome, timeZone),
  };
  if (template !== undefined)
    return fillTemplate(service, template, { predicted: outcome, words: {}, blocks, timeZone });
  return [
    `The model gives no number for: ${markdownText(service.outcome.label)}. What is missing or unfit is not replaced by a guess.`,
    blocks.reasons,
    ...(blocks.basis === '' ? [] : [blocks.basis]),
    blocks.signature,
  ].join('\n\n');
}
