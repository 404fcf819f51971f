import type { ToldReport, UnsaidOfStudy } from '../../monitoring/told-reports.ts';
import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import { scoreLevel } from '../../prediction/prediction-words.ts';
import type { StandingOutcome, StudyReports } from '../../prediction/study-reports.ts';
import type { Asked } from './answer-about.ts';
import type { HookEntrance, HookServiceCall } from './answer-hook.ts';
import type { ComputedAnswer } from './answer-outcome.ts';
import { before } from './before.ts';
import { type Card, type CardFrame, computingCard } from './card.ts';
import type { HookService } from './hook-service.ts';
import { reportCards, studyText } from './report-card.ts';
import { type Pending, pendingText, unshownCard, unshownState } from './report-unshown.ts';
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
  const told: ToldReport[] = [];
  const tell = (card: string, what: { said: StandingOutcome } | { unsaid: UnsaidOfStudy }): void => {
    const caller = { ...asked.caller, card };
    told.push({ request: { ...asked, caller }, totalMs: performance.now() - call.startedMs, ...what });
  };
  if (said !== undefined) {
    // Of an abstention: what has changed since is said no more.
    const note = waitsFor && `**The study may be complete now.** ${pendingText(service, waitsFor)}`;
    cards.push(...reportCards(service, said, { frame, timeZone, now, note, isOlder: false }));
    if (cards.length > 0) tell(frame.uuid, { said });
  } else if (why !== undefined) {
    const { model, subjectBase, asOf } = found;
    const [state, outcome] = [unshownState(why), service.outcome.id];
    cards.push(unshownCard(service, found, why, { frame, timeZone }));
    tell(frame.uuid, { unsaid: { study: study.reference, model, subjectBase, asOf, outcome, state } });
  }
  if (earlier !== undefined) {
    const of = { ...frame, uuid: entrance.newId() };
    const note = `**This is of an older study.** The newer one, ${studyText(study)}, has no result that can be shown.`;
    const older = reportCards(service, earlier, { frame: of, timeZone, now, note, isOlder: true });
    if (older.length > 0) tell(of.uuid, { said: earlier });
    cards.push(...older);
  }
  if (!(await isKept(entrance, call, { service, told, dueMs })))
    return { cards: [computingCard(service, { ...frame, uuid: entrance.newId() })] };
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

/** What nobody can account for in time is not shown. @throws what keeping it throws */
async function isKept(
  { reports, deadlineMs }: HookEntrance,
  { event }: HookServiceCall,
  { service: { id: service }, told, dueMs }: Pick<FoundStudyAnswer, 'dueMs'> & TellingOf,
): Promise<boolean> {
  const keeping = reports.told(told).then(() => true);
  // Also what fails once the call is answered.
  keeping.catch((error: unknown) => event({ name: 'cds-hook.report-untold', service, error }));
  const kept = await before(dueMs, keeping);
  if (kept === undefined) event({ name: 'cds-hook.late', service, deadlineMs });
  return kept === true;
}

interface TellingOf {
  readonly service: HookService;
  readonly told: readonly ToldReport[];
}
