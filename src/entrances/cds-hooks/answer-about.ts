import { inputHash } from '../../monitoring/input-hash.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import type { HookEntrance, HookServiceCall } from './answer-hook.ts';
import { answerOutcome, type ComputedAnswer, wantsResult } from './answer-outcome.ts';
import { before } from './before.ts';
import { type Card, type CardFrame, computingCard, disabledCards, type HookAnswer } from './card.ts';
import { earlierCards } from './earlier-card.ts';
import { hookError } from './hook-error.ts';
import type { HookService } from './hook-service.ts';
import type { HookRequest } from './parse-hook-request.ts';
import { predictionRequestFromHook } from './prediction-request-from-hook.ts';
import type { Prefetched } from './read-prefetch.ts';
import { readingLimit } from './reading-limit.ts';

/** Of the deadline: what explaining must leave to the card, and what computing must leave to the answer. */
export const renderMs = 30;
export const sendMs = 15;
/** What a search for an earlier result may take beyond that. */
const lastSearchMs = 10;

/** One prediction of a call. */
export interface Asked {
  readonly request: HookRequest & { readonly service: HookService };
  readonly prefetched: Prefetched;
  /** The order or appointment that it is about; absent: the patient alone. */
  readonly focus: string | undefined;
}

/**
 * Predicts once and shows what the manifest declares. Where the score is not there at the deadline, an earlier result is
 * shown if the manifest allows its reuse, or that the score is being computed; the prediction goes on, and its result is in
 * the prediction log.
 */
export async function answerAbout(
  entrance: HookEntrance,
  call: HookServiceCall,
  asked: Asked,
): Promise<ComputedAnswer> {
  const { request, prefetched, focus } = asked;
  const { service, fhirServer, context } = request;
  const { deadlineMs, timeZone, serverUrl, findings } = entrance;
  const { patientId, encounterId } = context;
  const frame: CardFrame = { uuid: entrance.newId(), serverUrl, patientId, encounterId, findings };
  const dueMs = call.startedMs + deadlineMs;
  // Without a server nothing is read that could take long.
  const limit =
    fhirServer &&
    readingLimit({ startedMs: call.startedMs, timeoutMs: entrance.timeoutMs, tokenMs: fhirServer.expiresInMs });
  let hashNow: string | undefined;
  const predicted = entrance.predict(
    predictionRequestFromHook(service, request, prefetched, {
      requestId: call.requestId,
      principal: call.principal,
      card: frame.uuid,
      focus,
      build: wantsResult(service, request, call.principal),
      // The own store alone holds what was read of it; see decisions/0046.
      writeBack: call.principal.cdsHooks.writesBack && fhirServer !== undefined && entrance.isOwnStore(fhirServer.base),
      answerBy: dueMs - renderMs,
      givenUp: call.givenUp,
      inputsRead: (inputs) => {
        if (service.reusedForMs !== undefined) hashNow = inputHash(inputs);
      },
      ...(limit && { signal: AbortSignal.any([call.givenUp, limit.signal]) }),
    }),
  );
  if (limit !== undefined) predicted.then(limit.clear, limit.clear);
  const soon = predicted.catch((error: unknown) => {
    if (error instanceof PredictionError && error.code === 'MODEL_DISABLED') return 'off' as const;
    throw hookError(error, fhirServer?.base);
  });
  // Only for a call that is likely to be late.
  const inTime = service.reusedForMs === undefined ? undefined : await before(call.startedMs + deadlineMs / 2, soon);
  const earlier = inTime === undefined ? findEarlier(entrance, call, asked) : undefined;
  const outcome: PredictionOutcome | 'off' | undefined = inTime ?? (await before(dueMs - sendMs, soon));
  if (outcome !== undefined && outcome !== 'off' && !entrance.isOff(service))
    return answerOutcome(service, outcome, {
      frame,
      timeZone,
      request,
      focus,
      principal: call.principal,
      holdBack: entrance.holdBack,
      dueMs: dueMs - sendMs,
      event: call.event,
    });
  const found = outcome === undefined ? await before(dueMs - sendMs + lastSearchMs, earlier ?? nothing) : undefined;
  if (outcome === 'off' || entrance.isOff(service)) return switchedOff(entrance, call, service);
  call.event({ name: 'cds-hook.late', service: service.id, deadlineMs });
  return { cards: lateCards(service, found, { frame, timeZone, hashNow }) };
}

const nothing = Promise.resolve(undefined);

/** The answer of a service that is off: no card, or one that says so. */
export function switchedOff(entrance: HookEntrance, call: HookServiceCall, service: HookService): HookAnswer {
  call.event({ name: 'cds-hook.switched-off', service: service.id, model: service.version.key });
  return { cards: disabledCards(service, { uuid: entrance.newId(), serverUrl: entrance.serverUrl }) };
}

type Earlier = Awaited<ReturnType<HookEntrance['findEarlier']>>;

/**
 * Without a server nobody knows whose patient it is: then no earlier result is that of the same subject. Without a user,
 * nobody knows with whose rights one was read.
 */
async function findEarlier(entrance: HookEntrance, call: HookServiceCall, asked: Asked): Promise<Earlier> {
  const { service, fhirServer, context } = asked.request;
  if (service.reusedForMs === undefined || fhirServer === undefined || context.userId === undefined) return undefined;
  const { manifest, digest } = service.version;
  try {
    return await entrance.findEarlier({
      callerKey: call.principal.key,
      user: context.userId,
      service: service.id,
      base: fhirServer.base,
      subject: context.patientId,
      encounter: context.encounterId,
      focus: asked.focus,
      model: manifest.id,
      digest,
      validFor: manifest.validFor,
      reusedForMs: service.reusedForMs,
    });
  } catch (error) {
    call.event({ name: 'cds-hook.earlier-unknown', service: service.id, error });
    return undefined;
  }
}

/** An earlier result is shown unless the inputs of now are known to be others: then it is known to be outdated. */
function lateCards(
  service: HookService,
  earlier: Earlier,
  { frame, timeZone, hashNow }: { frame: CardFrame; timeZone: string; hashNow: string | undefined },
): readonly Card[] {
  const isOutdated = earlier !== undefined && hashNow !== undefined && hashNow !== earlier.inputHash;
  const cards =
    earlier === undefined || isOutdated
      ? undefined
      : earlierCards(service, earlier, { frame, timeZone, sameInputs: hashNow !== undefined });
  return cards ?? [computingCard(service, frame)];
}
