import type { Principal } from '../../http/principal.ts';
import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import type { HookContext } from './context-reader.ts';
import type { HookService } from './hook-service.ts';
import type { HookRequest } from './parse-hook-request.ts';
import type { Prefetched } from './read-prefetch.ts';
import { unaskedKeys } from './unasked-keys.ts';

/** What of a call a prediction is asked by. */
export interface AskingCall {
  readonly context: Pick<HookContext, 'patientId' | 'encounterId' | 'userId'>;
  readonly fhirServer?: HookRequest['fhirServer'];
}

/** What a call is beside its body. */
export interface HookCall {
  readonly requestId: string;
  readonly principal: Principal;
  /** UUID of the card that will show the prediction. */
  readonly card: string;
  /** Whether the result is answered as a resource too. */
  readonly build: boolean;
  /** The order or appointment that the prediction is about. */
  readonly focus?: string | undefined;
  /** Whether the result is kept as a resource, and delivered to the sinks. */
  readonly writeBack: boolean;
  readonly inputsRead?: PredictionRequest['inputsRead'];
  /** When contributions are due, on the clock of performance.now(). */
  readonly answerBy: number;
  /** Absent where nothing is read. */
  readonly signal?: AbortSignal;
  /** Aborted when the caller has gone. */
  readonly givenUp: AbortSignal;
}

/**
 * Translates a hook into the request every entrance makes. The subject is one of the fhirServer of the call; without
 * one, of the caller alone.
 */
export function predictionRequestFromHook(
  service: HookService,
  { context, fhirServer }: AskingCall,
  prefetched: Prefetched,
  { requestId, principal, card, build, focus, writeBack, inputsRead, answerBy, signal, givenUp }: HookCall,
): PredictionRequest {
  const { manifest } = service.version;
  const { answers, begun } = prefetched;
  return {
    requestId,
    entrance: 'cds-hooks',
    caller: {
      service: service.id,
      card,
      key: principal.key,
      ...(principal.provedBy === 'nothing' ? {} : { client: principal.client }),
      ...(context.userId === undefined ? {} : { user: context.userId }),
    },
    model: manifest.id,
    version: manifest.version,
    subject: context.patientId,
    ...(context.encounterId === undefined ? {} : { encounter: context.encounterId }),
    ...(focus === undefined ? {} : { focus }),
    ...(inputsRead === undefined ? {} : { inputsRead }),
    origin:
      fhirServer === undefined
        ? { from: 'caller', answers }
        : {
            from: 'server',
            base: fhirServer.base,
            answers,
            ...(begun.size === 0 ? {} : { begun }),
            unasked: unaskedKeys(service, prefetched),
            ...(fhirServer.accessToken === undefined ? {} : { accessToken: fhirServer.accessToken }),
          },
    seed: [],
    inputs: [],
    writeBack,
    build,
    explain: service.contributions > 0,
    answerBy,
    givenUp,
    ...(signal === undefined ? {} : { signal }),
  };
}
