import { PredictionError } from '../../platform/errors.ts';
import { type Asked, answerAbout, renderMs, sendMs, switchedOff } from './answer-about.ts';
import { answerFoundStudy } from './answer-found-study.ts';
import type { HookEntrance, HookServiceCall } from './answer-hook.ts';
import type { ComputedAnswer } from './answer-outcome.ts';
import { askForReport } from './ask-for-report.ts';
import { before } from './before.ts';
import { type CardFrame, computingCard } from './card.ts';
import { hookError } from './hook-error.ts';
import { predictionRequestFromHook } from './prediction-request-from-hook.ts';
import { readingLimit } from './reading-limit.ts';

/**
 * Answers with what stands of the newest imaging study that the model reads: no image is fetched for a call. Where nothing
 * stands the report is asked for behind it, once however many calls come, and the card says so. The record is read with the
 * rights of the call, so that nobody learns of a patient whom the server of the call does not show; the report is made with those of
 * this server, so that the token is needed no longer than the call. Where no study can be told, a prediction says why.
 * @throws HOOK_DATA_UNOBTAINABLE, and what else the path throws
 */
export async function answerStudy(
  entrance: HookEntrance,
  call: HookServiceCall,
  { request, prefetched }: Omit<Asked, 'focus'>,
): Promise<ComputedAnswer> {
  const { service, fhirServer, context } = request;
  const { reports, serverUrl, findings } = entrance;
  const { patientId, encounterId } = context;
  if (fhirServer === undefined)
    throw new PredictionError(
      'HOOK_DATA_UNOBTAINABLE',
      'Images are read of patients whom a FHIR server holds, and the call names none. Name it as fhirServer.',
    );
  const frame: CardFrame = { uuid: entrance.newId(), serverUrl, patientId, encounterId, findings };
  const dueMs = call.startedMs + entrance.deadlineMs - sendMs;
  const limit = readingLimit({
    startedMs: call.startedMs,
    timeoutMs: entrance.timeoutMs,
    tokenMs: fhirServer.expiresInMs,
  });
  const asked = predictionRequestFromHook(service, request, prefetched, {
    requestId: call.requestId,
    principal: call.principal,
    card: frame.uuid,
    build: false,
    writeBack: false,
    answerBy: dueMs - renderMs,
    givenUp: call.givenUp,
    signal: AbortSignal.any([call.givenUp, limit.signal]),
  });
  const finding = reports.find(asked);
  finding.then(limit.clear, limit.clear);
  // Also what fails once the call is answered.
  finding.catch((error: unknown) => {
    if (!isOff(error)) call.event({ name: 'cds-hook.reports-unknown', service: service.id, error });
  });
  const soon = finding.then(
    (found) => found ?? ('untold' as const),
    (error: unknown) => {
      if (isOff(error)) return 'off' as const;
      throw hookError(error, fhirServer.base);
    },
  );
  // Asked for also where this call is answered before: the next one finds what comes of it.
  const pending = soon.then(async (found) =>
    found === 'off' || found === 'untold' || !found.isDue || entrance.isOff(service)
      ? undefined
      : await askForReport(entrance, call, {
          asked,
          base: fhirServer.base,
          study: { reference: found.study.reference, isOneOfSeveral: found.isOneOfSeveral === true },
          service: service.id,
        }),
  );
  pending.catch(() => undefined); // what failed is told by `soon`, and has its event and its row
  const found = await before(dueMs, soon);
  if (found === 'untold') return await answerAbout(entrance, call, { request, prefetched, focus: undefined });
  if (found === 'off' || entrance.isOff(service)) return switchedOff(entrance, call, service);
  if (found === undefined) {
    call.event({ name: 'cds-hook.late', service: service.id, deadlineMs: entrance.deadlineMs });
    return { cards: [computingCard(service, frame)] };
  }
  const waitsFor = found.isDue ? ((await before(dueMs, pending)) ?? 'asked') : undefined;
  return await answerFoundStudy(entrance, call, { request, asked, found, waitsFor, frame, dueMs });
}

function isOff(error: unknown): boolean {
  return error instanceof PredictionError && error.code === 'MODEL_DISABLED';
}
