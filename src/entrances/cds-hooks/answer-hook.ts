import type { Principal } from '../../http/principal.ts';
import type { EarlierQuestion, EarlierResult } from '../../monitoring/earlier-result.ts';
import type { ToldReport } from '../../monitoring/told-reports.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import type { StudyReports } from '../../prediction/study-reports.ts';
import type { OnceState } from '../../runs/operation-jobs/open-operation-jobs.ts';
import { answerAbout, switchedOff } from './answer-about.ts';
import { cardsToShow } from './answer-outcome.ts';
import { answerStudy } from './answer-study.ts';
import type { HookAnswer } from './card.ts';
import { checkFhirServer } from './check-fhir-server.ts';
import { hookFoci } from './hook-focus.ts';
import type { HookService } from './hook-service.ts';
import { mostUrgentFirst } from './most-urgent-first.ts';
import { parseHookRequest } from './parse-hook-request.ts';
import { readPrefetch } from './read-prefetch.ts';
import type { Findings } from './read-search.ts';
import type { HoldBack } from './shown-again.ts';

/** What every call of a hook needs of the house. */
export interface HookEntrance {
  /** As models are loaded and promoted now. */
  readonly services: () => readonly HookService[];
  /** Whether a service is switched off now, by itself or with its model or version. */
  readonly isOff: (service: HookService) => boolean;
  readonly predict: (request: PredictionRequest) => Promise<PredictionOutcome>;
  readonly findings: Findings;
  readonly holdBack: HoldBack;
  /** An earlier result in the place of a late one; see `findEarlierResult`. */
  readonly findEarlier: (question: EarlierAsked) => Promise<EarlierResult | undefined>;
  readonly reports: HookReports;
  /** Whether a fhirServer is this server's own store. */
  readonly isOwnStore: (base: string) => boolean;
  /** How long a call may take. */
  readonly deadlineMs: number;
  /** How long a prediction may read, also one that is late. */
  readonly timeoutMs: number;
  readonly timeZone: string;
  /** URL of this server, without a trailing slash. */
  readonly serverUrl: string;
  readonly newId: () => string;
  readonly now: () => Date;
}

/** What a service that shows reports of imaging studies needs of the house. */
export interface HookReports {
  /** See `findStudyReports`. */
  readonly find: (request: PredictionRequest) => Promise<StudyReports | undefined>;
  /** Whether the patients of a fhirServer are those of the record source: reports are made of these alone, without the token of a call. */
  readonly areMadeFor: (base: string) => boolean;
  /** Has the report of a study made behind all calls, once however many ask. @throws RATE_LIMITED */
  readonly ask: (request: PredictionRequest, study: AskedStudy) => Promise<OnceState>;
  /** See `keepToldReports`. */
  readonly told: (told: readonly ToldReport[]) => Promise<void>;
}

/** The study that a report is to be about, which is the newest that the model reads. */
export interface AskedStudy {
  /** `ImagingStudy/id` */
  readonly reference: string;
  readonly isOneOfSeveral: boolean;
}

/** An earlier result as a call asks for it: of the server as the call names it. */
export interface EarlierAsked extends Omit<EarlierQuestion, 'tenant' | 'fhirBase' | 'since' | 'now'> {
  /** Without a trailing slash. */
  readonly base: string;
  /** ISO 8601 duration after which a result of the model may not be shown as current. */
  readonly validFor: string;
  readonly reusedForMs: number;
}

/** One call of a service, free of HTTP. */
export interface HookServiceCall {
  /** The services at the called address, one per hook. */
  readonly offered: readonly HookService[];
  readonly body: unknown;
  readonly requestId: string;
  /** Who calls. */
  readonly principal: Principal;
  /** When the call came, on the clock of performance.now(). */
  readonly startedMs: number;
  /** Aborted when the caller goes away before the answer. */
  readonly givenUp: AbortSignal;
  readonly event: (event: LogEvent) => void;
}

/**
 * Answers one hook: predicts about its patient, or about each order or appointment that the manifest wants predicted about,
 * and shows what it declares, the most urgent card first. A service that is switched off shows nothing, or says so where the
 * manifest wants that, also where it was done during the call: an EHR that has discovered it earlier goes on to call it.
 * @throws PARAMETER_INVALID, FORBIDDEN, HOOK_DATA_UNOBTAINABLE, and what else the path throws
 */
export async function answerHook(entrance: HookEntrance, call: HookServiceCall): Promise<HookAnswer> {
  const request = parseHookRequest(call.body, call.offered);
  const { service, context } = request;
  checkFhirServer(request.fhirServer?.base, call.principal);
  if (entrance.isOff(service)) return switchedOff(entrance, call, service);
  const foci = await hookFoci(service, context);
  const { findings } = entrance;
  const types = service.answerTypes;
  const prefetched = await readPrefetch(request.prefetch, { patientId: context.patientId, types, findings });
  // A report is of a study, whatever orders the call is about; a call about none of its orders is answered with none.
  const answers = service.showsReports
    ? await Promise.all(foci.slice(0, 1).map(() => answerStudy(entrance, call, { request, prefetched })))
    : await Promise.all(foci.map((focus) => answerAbout(entrance, call, { request, prefetched, focus })));
  // What is not given, since one of several failed or the caller has gone, was told to nobody.
  const shown = call.givenUp.aborted ? answers.map(({ cards }) => cards) : await Promise.all(answers.map(cardsToShow));
  const systemActions = answers.flatMap((answer) => answer.systemActions ?? []);
  return {
    cards: mostUrgentFirst(shown.flat()),
    ...(systemActions.length === 0 ? {} : { systemActions }),
  };
}
