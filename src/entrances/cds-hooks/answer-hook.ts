import type { Principal } from '../../http/principal.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import { answerOutcome, wantsResult } from './answer-outcome.ts';
import { before } from './before.ts';
import { type CardFrame, computingCard, disabledCards, type HookAnswer } from './card.ts';
import { checkFhirServer } from './check-fhir-server.ts';
import { hookError } from './hook-error.ts';
import type { HookService } from './hook-service.ts';
import { parseHookRequest } from './parse-hook-request.ts';
import { predictionRequestFromHook } from './prediction-request-from-hook.ts';
import { readPrefetch } from './read-prefetch.ts';
import type { Findings } from './read-search.ts';
import { readingLimit } from './reading-limit.ts';
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
  /** How long a call may take. */
  readonly deadlineMs: number;
  /** How long a prediction may read, also one that is late. */
  readonly timeoutMs: number;
  readonly timeZone: string;
  /** URL of this server, without a trailing slash. */
  readonly serverUrl: string;
  readonly newId: () => string;
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

/** Of the deadline: what explaining must leave to the card, and what computing must leave to the answer. */
const renderMs = 30;
const sendMs = 15;

/**
 * Answers one hook: predicts about its patient and shows what the manifest declares. A score that is not there at the
 * deadline is said to be late, and the prediction goes on: its result is in the prediction log. A service that is switched
 * off shows nothing, or says so where the manifest wants that, also where it was done during the call: an EHR that has
 * discovered it earlier goes on to call it.
 * @throws PARAMETER_INVALID, FORBIDDEN, HOOK_DATA_UNOBTAINABLE, and what else the path throws
 */
export async function answerHook(entrance: HookEntrance, call: HookServiceCall): Promise<HookAnswer> {
  const request = parseHookRequest(call.body, call.offered);
  const { service } = request;
  checkFhirServer(request.fhirServer?.base, call.principal);
  const { findings, deadlineMs, timeZone, serverUrl } = entrance;
  const { patientId, encounterId } = request.context;
  const frame: CardFrame = { uuid: entrance.newId(), serverUrl, patientId, encounterId, findings };
  const switchedOff = (): HookAnswer => {
    call.event({ name: 'cds-hook.switched-off', service: service.id, model: service.version.key });
    return { cards: disabledCards(service, frame) };
  };
  if (entrance.isOff(service)) return switchedOff();
  const prefetched = await readPrefetch(request.prefetch, { patientId, types: service.answerTypes, findings });
  const dueMs = call.startedMs + deadlineMs;
  // Without a server nothing is read that could take long.
  const limit =
    request.fhirServer &&
    readingLimit({
      startedMs: call.startedMs,
      timeoutMs: entrance.timeoutMs,
      tokenMs: request.fhirServer.expiresInMs,
    });
  const predicted = entrance.predict(
    predictionRequestFromHook(service, request, prefetched, {
      requestId: call.requestId,
      principal: call.principal,
      card: frame.uuid,
      build: wantsResult(service, request, call.principal),
      answerBy: dueMs - renderMs,
      givenUp: call.givenUp,
      ...(limit && { signal: AbortSignal.any([call.givenUp, limit.signal]) }),
    }),
  );
  if (limit !== undefined) predicted.then(limit.clear, limit.clear);
  const outcome = await before(dueMs - sendMs, predicted).catch((error: unknown) => {
    if (error instanceof PredictionError && error.code === 'MODEL_DISABLED') return 'off' as const;
    throw hookError(error, request.fhirServer?.base);
  });
  if (outcome === 'off' || entrance.isOff(service)) return switchedOff();
  if (outcome !== undefined)
    return await answerOutcome(service, outcome, {
      frame,
      timeZone,
      request,
      principal: call.principal,
      holdBack: entrance.holdBack,
      dueMs: dueMs - sendMs,
      event: call.event,
    });
  call.event({ name: 'cds-hook.late', service: service.id, deadlineMs });
  return { cards: [computingCard(service, frame)] };
}
