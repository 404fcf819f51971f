import { listed, markdownText } from '../../fhir/markdown-text.ts';
import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import { bandSource } from '../../model-catalog/outcome-score.ts';
import { unitOf } from '../../model-catalog/value-kind.ts';
import type { Scored } from '../../prediction/prediction-outcome.ts';
import {
  againstText,
  baseOf,
  contributionAmount,
  contributionText,
  detailText,
  inputText,
  partText,
  scoreText,
  unitText,
} from '../../prediction/prediction-words.ts';
import { type DetailOptions, fillTemplate } from './fill-template.ts';
import type { HookService } from './hook-service.ts';
import { signature } from './signature.ts';

/**
 * The prediction as Markdown: risk, band and its source, the largest contributions with value and date, the other
 * outcomes, what was missing or assumed, cautions, model and as-of.
 */
export function riskDetail(
  service: HookService,
  outcome: Scored,
  score: number,
  { timeZone, template }: DetailOptions,
): string {
  const { manifest } = service.version;
  const others = manifest.outcomes.filter(({ id }) => id !== service.outcome.id);
  const otherRisks = others.flatMap((other) => otherLine(other, outcome) ?? []);
  const contributions = contributionLines(service, outcome);
  const notes = outcome.remarks.map((text) => listed([markdownText(text)]));
  const blocks = {
    risk: riskLines(service.outcome, outcome, score),
    contributions:
      contributions.length === 0
        ? ''
        : `**Largest contributions** (against ${markdownText(againstText(manifest))})\n\n${listed(contributions)}`,
    otherOutcomes: otherRisks.length === 0 ? '' : `**Other outcomes**\n\n${listed(otherRisks)}`,
    basis: `**What this rests on**\n\n${[...notes, service.cautions].filter((part) => part !== '').join('\n')}`,
    signature: signature(service, outcome, timeZone),
  };
  if (template === undefined)
    return Object.values(blocks)
      .filter((part) => part !== '')
      .join('\n\n');
  const band = outcome.levels.get(service.outcome.id)?.display ?? 'no band';
  const words = { score: scoreText(service.outcome, score), band };
  return fillTemplate(service, template, { predicted: outcome, words, blocks, timeZone });
}

/** What is said of the scores of a result, whoever made it when. */
export type SaidScores = Pick<Scored, 'scores' | 'details' | 'levels'>;

/** The score of the outcome that a card is about, its band and where the band comes from. */
export function riskLines(declared: Outcome, outcome: Omit<SaidScores, 'scores'>, score: number): string {
  const beside = detailText(declared, outcome.details.get(declared.id));
  const more = beside === undefined ? '' : ` ${markdownText(`${beside.slice(0, 1).toUpperCase()}${beside.slice(1)}`)}.`;
  const said = `**${markdownText(scoreText(declared, score))}**: ${markdownText(declared.label)}.${more}`;
  if (declared.kind === 'class') return said;
  const level = outcome.levels.get(declared.id);
  const source = bandSource(declared);
  if (level === undefined || source === undefined) return `${said} No bands are published for this outcome.`;
  return `${said}\n\n**${markdownText(level.display)}** (${markdownText(source)})`;
}

/** Undefined where the model abstained about it: the notes say why. */
export function otherLine(other: Outcome, outcome: SaidScores): string | undefined {
  const score = outcome.scores.get(other.id);
  if (score === undefined) return undefined;
  const level = other.kind === 'class' ? undefined : outcome.levels.get(other.id);
  const beside = detailText(other, outcome.details.get(other.id));
  const text = `${scoreText(other, score)}${beside === undefined ? '' : `; ${beside}`}`;
  return markdownText(`${other.label}: ${text}${level === undefined ? '' : `, ${level.display}`}`);
}

/** The largest by absolute difference; equal ones in the order of the feature map. */
function contributionLines(
  { version, outcome: about, contributions: shown }: HookService,
  { explanation, inputs }: Scored,
): string[] {
  if ('none' in explanation || !explanation.bases.some(({ outcome }) => outcome === about.id)) return [];
  const { scale } = baseOf(explanation, about.id);
  const order = [...inputs.features.keys()];
  return explanation.contributions
    .filter(
      ({ outcome, difference }) => outcome === about.id && contributionAmount(about, scale, difference).value !== 0,
    )
    .toSorted(
      (one, other) =>
        Math.abs(other.difference) - Math.abs(one.difference) ||
        order.indexOf(one.feature) - order.indexOf(other.feature),
    )
    .slice(0, shown)
    .map(({ feature, difference, part }) => {
      const definition = version.featureMap.features[feature];
      const unit = definition === undefined ? '' : unitText(unitOf(definition) ?? '1');
      const value = part === undefined ? inputText(inputs.features.get(feature), unit) : partText(part);
      return `${markdownText(definition?.label ?? feature)}: ${markdownText(value)}: ${contributionText(about, scale, difference)}`;
    });
}
