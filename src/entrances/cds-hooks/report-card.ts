import type { DiagnosticReport } from '@medplum/fhirtypes';
import { clipped, listed, markdownText } from '../../fhir/markdown-text.ts';
import type { ScoreDetail } from '../../model-catalog/score-detail.ts';
import type { FoundStudy } from '../../prediction/newest-study.ts';
import {
  fhirDateTime,
  reportFirstLine,
  reportProbability,
  scoreLevel,
  scoreText,
  versionRemarks,
} from '../../prediction/prediction-words.ts';
import type { StandingOutcome } from '../../prediction/study-reports.ts';
import { buildCard, type Card, type CardFrame } from './card.ts';
import { cardSuggestions } from './card-suggestions.ts';
import { fillTemplate } from './fill-template.ts';
import type { HookService } from './hook-service.ts';
import { abstentionSummary, levelOf, scoreSummary, summaryLength } from './outcome-cards.ts';
import { otherLine, riskLines, type SaidScores } from './risk-detail.ts';
import { signature } from './signature.ts';

export interface ReportFrame {
  readonly frame: CardFrame;
  /** IANA zone of the site. */
  readonly timeZone: string;
  readonly now: Date;
  /** What is to be known of the study or of a newer one, as Markdown; absent: nothing. */
  readonly note?: string | undefined;
  /** The study is not the newest that the model reads. */
  readonly isOlder: boolean;
}

/**
 * The card of what stands of a study: of a score with the first line of its report, the study, its age and the way to the
 * report; of an abstention its reasons. None where the manifest shows no such score or abstention.
 */
export function reportCards(service: HookService, said: StandingOutcome, about: ReportFrame): readonly Card[] {
  const { outcome, report } = said;
  const score = outcome.scores?.[service.outcome.id];
  if (report === undefined || score === undefined) return abstainedCards(service, said, about);
  const { frame, timeZone, isOlder } = about;
  const { serverUrl } = frame;
  const scores = scoresOf(service, said, report);
  const band = scores.levels.get(service.outcome.id);
  const level = levelOf(service, band?.code, score);
  if (level.show === 'none') return [];
  const first = reportFirstLine(report);
  const begin = `${isOlder ? 'Older study. ' : ''}${report.status === 'final' ? 'AI result, read' : 'AI result, not read'}: `;
  const reference = `DiagnosticReport/${report.id}`;
  const body = bodyOf(service, said, { scores, score, template: level.detail, timeZone });
  const parts = [`**${markdownText(first)}**`, ...notesOf(said, about), body];
  return [
    buildCard(service, frame, {
      summary: clipped(`${begin}${scoreSummary(service, band, score, summaryLength - begin.length)}`, summaryLength),
      indicator: level.show,
      detail: parts.join('\n\n'),
      suggestions: cardSuggestions(service, { score, band: band?.code }, frame),
      links: [{ label: 'Report', url: `${serverUrl}/fhir/R4/${reference}`, type: 'absolute' }],
      prediction: { state: 'scored', score, ...keptOf(said, timeZone), report: reference },
    }),
  ];
}

/** A study in words. @returns Markdown */
export function studyText({ at, description }: FoundStudy): string {
  return `of ${studyTime({ at })}${description === undefined ? '' : `: ${markdownText(clipped(description, 200))}`}`;
}

/** When a study began, as its resource gives it, to the minute. */
export function studyTime({ at }: Pick<FoundStudy, 'at'>): string {
  return at.slice(0, 16).replace('T', ' ');
}

function abstainedCards(service: HookService, said: StandingOutcome, about: ReportFrame): readonly Card[] {
  const { declared, version, outcome: asked, cautions } = service;
  const { frame, timeZone } = about;
  const verdict = said.outcome.verdicts[asked.id] as { readonly state: string; readonly reasons?: readonly string[] };
  const { state, reasons = [] } = verdict;
  if (state !== 'not-eligible' && state !== 'insufficient-data' && state !== 'out-of-range')
    throw new RangeError(
      `what stands of ${said.study.reference} has neither a score of ${asked.id} nor a reason why not`,
    );
  const kind = state === 'not-eligible' ? 'notEligible' : 'abstained';
  const indicator = declared.cards[kind];
  if (indicator === 'none') return [];
  const blocks = {
    reasons: listed(reasons.map((reason) => markdownText(reasonText(service, reason)))),
    basis: cautions === '' ? '' : `**What to keep in mind**\n\n${cautions}`,
    signature: signature(service, said.outcome, timeZone),
  };
  const template = declared.cards.details?.[kind];
  const body =
    template === undefined
      ? [
          `The model gives no number for: ${markdownText(asked.label)}. What is missing or unfit is not replaced by a guess.`,
          ...Object.values(blocks).filter((part) => part !== ''),
        ].join('\n\n')
      : fillTemplate(service, template, { predicted: said.outcome, words: {}, blocks, timeZone });
  const summary = abstentionSummary(state, version.manifest.title);
  const detail = [...notesOf(said, about), body].join('\n\n');
  return [buildCard(service, frame, { summary, indicator, detail, prediction: { state, ...keptOf(said, timeZone) } })];
}

/** `radiograph:study-incomplete` by the label of the feature. */
function reasonText({ version }: HookService, reason: string): string {
  const [name = '', why] = reason.split(':');
  const label = version.featureMap.features[name]?.label;
  return label === undefined || why === undefined ? reason : `${label}: ${why}`;
}

function keptOf({ study, outcome, isUnchecked }: StandingOutcome, timeZone: string) {
  return {
    result: outcome.identifier,
    asOf: fhirDateTime(outcome.asOf, timeZone),
    study: study.reference,
    ...(isUnchecked === true ? { earlier: 'newer-data-not-checked' as const } : {}),
  };
}

/** Which study, how old what is said of it is, and what else is to be known of it. */
function notesOf({ study, outcome, isUnchecked }: StandingOutcome, { now, note }: ReportFrame): string[] {
  const age = ageText(now.getTime() - outcome.computedAt.getTime());
  return [
    ...(note === undefined ? [] : [note]),
    ...(isUnchecked === true ? [uncheckedWords] : []),
    `Study ${studyText(study)}. Computed ${age}.`,
  ];
}

const uncheckedWords =
  '**Newer data were not checked:** the server of the record does not say when all that this rests on changed last.';
const minuteMs = 60_000;

function ageText(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / minuteMs));
  if (minutes < 1) return 'just now';
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

function scoresOf(
  { version }: HookService,
  { outcome }: StandingOutcome,
  report: Pick<DiagnosticReport, 'contained'>,
): SaidScores {
  const scores = new Map(Object.entries(outcome.scores ?? {}));
  const details = new Map<string, ScoreDetail>();
  const levels: SaidScores['levels'] & Map<string, NonNullable<ReturnType<typeof scoreLevel>>> = new Map();
  for (const declared of version.manifest.outcomes) {
    const score = scores.get(declared.id);
    if (score === undefined) continue;
    const level = scoreLevel(declared, score);
    if (level !== undefined) levels.set(declared.id, level);
    const probability = reportProbability(report, declared.id);
    if (probability !== undefined) details.set(declared.id, { classProbability: probability });
  }
  return { scores, details, levels };
}

interface Scores {
  readonly scores: SaidScores;
  readonly score: number;
  readonly template: string | undefined;
  readonly timeZone: string;
}

function bodyOf(
  service: HookService,
  { outcome }: StandingOutcome,
  { scores, score, template, timeZone }: Scores,
): string {
  const { version, outcome: about, cautions } = service;
  const { manifest } = version;
  const others = manifest.outcomes.filter(({ id }) => id !== about.id);
  const lines = others.map(
    (other) =>
      otherLine(other, scores) ?? `${markdownText(other.label)}: not computed${whyNot(service, outcome, other.id)}`,
  );
  const { demonstration, superseded, site } = versionRemarks(manifest, version.site);
  const remarks = [demonstration, superseded, site].flatMap((said) => (said === undefined ? [] : [markdownText(said)]));
  const blocks = {
    risk: riskLines(about, scores, score),
    contributions: '',
    otherOutcomes: lines.length === 0 ? '' : `**Other outcomes**\n\n${listed(lines)}`,
    basis: `**What this rests on**\n\n${[listed([...remarks, inReport]), cautions].filter((part) => part !== '').join('\n')}`,
    signature: signature(service, outcome, timeZone),
  };
  if (template === undefined)
    return Object.values(blocks)
      .filter((part) => part !== '')
      .join('\n\n');
  const band = scores.levels.get(about.id)?.display ?? 'no band';
  const words = { score: scoreText(about, score), band };
  return fillTemplate(service, template, { predicted: outcome, words, blocks, timeZone });
}

const inReport = 'What was read and missing, and where in the image the score comes from, stands in the report.';

function whyNot(service: HookService, outcome: StandingOutcome['outcome'], id: string): string {
  const { reasons = [] } = (outcome.verdicts[id] ?? {}) as { readonly reasons?: readonly string[] };
  return reasons.length === 0 ? '' : ` (${markdownText(reasons.map((one) => reasonText(service, one)).join('; '))})`;
}
