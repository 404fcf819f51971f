import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import { scoreLevel } from '../../prediction/prediction-words.ts';
import type { StandingOutcome, StudyReports } from '../../prediction/study-reports.ts';
import type { Asked } from './answer-about.ts';
import type { HookEntrance, HookServiceCall } from './answer-hook.ts';
import type { ComputedAnswer } from './answer-outcome.ts';
import type { Card, CardFrame } from './card.ts';
import type { HookService } from './hook-service.ts';
import { reportCards, studyText } from './report-card.ts';
import { type Pending, pendingText, unshownCard } from './report-unshown.ts';
import { isShownAgain, type Said, saidAtScore } from './shown-again.ts';

export interface FoundStudyAnswer extends Pick<Asked, 'request'> {
  readonly asked: PredictionRequest;
  readonly found: StudyReports;
  /** Absent: nothing is to be computed. */
  readonly waitsFor: Pending | undefined;
  readonly frame: CardFrame;
  readonly dueMs: number;
}

/** The cards of what was found, each kept account of. The newest study comes first; only what was told of it is held back. */
export async function answerFoundStudy(
  entrance: HookEntrance,
  call: HookServiceCall,
  { request, asked, found, waitsFor, frame, dueMs }: FoundStudyAnswer,
): Promise<ComputedAnswer> {
  const { service } = request;
  const { said, earlier, unshown, study } = found;
  const { timeZone } = entrance;
  const now = entrance.now();
  const why = unshown ?? waitsFor;
  const cards: Card[] = [];
  const told: [StandingOutcome, string][] = [];
  if (said !== undefined) {
    // Of an abstention: what has changed since is said no more.
    const note = waitsFor && `**The study may be complete now.** ${pendingText(service, waitsFor)}`;
    cards.push(...reportCards(service, said, { frame, timeZone, now, note, isOlder: false }));
    if (cards.length > 0) told.push([said, frame.uuid]);
  } else if (why !== undefined) cards.push(unshownCard(service, found, why, { frame, timeZone }));
  if (earlier !== undefined) {
    const of = { ...frame, uuid: entrance.newId() };
    const note = `**This is of an older study.** The newer one, ${studyText(study)}, has no result that can be shown.`;
    const older = reportCards(service, earlier, { frame: of, timeZone, now, note, isOlder: true });
    if (older.length > 0) told.push([earlier, of.uuid]);
    cards.push(...older);
  }
  for (const [of, card] of told)
    await entrance.reports.told({
      request: { ...asked, caller: { ...asked.caller, card } },
      said: of,
      totalMs: performance.now() - call.startedMs,
    });
  const isSame = {
    request,
    focus: study.reference,
    card: frame.uuid,
    holdBack: entrance.holdBack,
    dueMs,
    event: call.event,
  };
  const text = saidOfStudy(service, found, cards);
  return {
    cards,
    isShownAgain: () => isShownAgain(service, { ...text, model: found.model, subjectBase: found.subjectBase }, isSame),
  };
}

/** Where no number is given, that is remembered: the same number is told again after it. */
function saidOfStudy(
  service: HookService,
  { said }: StudyReports,
  [card]: readonly Card[],
): Pick<Said, 'text' | 'mayBeHeld'> {
  const score = said?.outcome.scores?.[service.outcome.id];
  if (said?.report === undefined || score === undefined)
    return { text: `no score: ${card?.extension['org.fhirsight.prediction'].state ?? 'none shown'}`, mayBeHeld: false };
  return saidAtScore(service, score, scoreLevel(service.outcome, score)?.code);
}
