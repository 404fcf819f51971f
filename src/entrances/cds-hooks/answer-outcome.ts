import type { Principal } from '../../http/principal.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import type { CardFrame, HookAnswer, SystemAction } from './card.ts';
import type { HookService } from './hook-service.ts';
import { outcomeCards } from './outcome-cards.ts';
import type { HookRequest } from './parse-hook-request.ts';
import { type HoldBack, isShownAgain } from './shown-again.ts';

/** Of the call that an answer is for. */
export interface AnswerFor {
  readonly frame: CardFrame;
  /** IANA zone of the site. */
  readonly timeZone: string;
  readonly request: Pick<HookRequest, 'context' | 'fhirServer'>;
  /** The order or appointment that it is about. */
  readonly focus: string | undefined;
  readonly principal: Principal;
  readonly holdBack: HoldBack;
  /** When the answer is due, on the clock of performance.now(). */
  readonly dueMs: number;
  readonly event: (event: LogEvent) => void;
}

/** What a service answers once its outcome is there: cards but for those held back, and what the client is to do unasked. */
export async function answerOutcome(
  service: HookService,
  outcome: PredictionOutcome,
  { frame, timeZone, principal, ...options }: AnswerFor,
): Promise<HookAnswer> {
  const { request } = options;
  // First: a draft that is refused must not be taken for a card that was shown.
  const cards = outcomeCards(service, outcome, frame, timeZone);
  const isHeld = await isShownAgain(service, outcome, { ...options, card: frame.uuid });
  const systemActions = wantsResult(service, request, principal) ? resultActions(service, outcome) : [];
  return {
    cards: isHeld ? [] : cards,
    ...(systemActions.length === 0 ? {} : { systemActions }),
  };
}

/**
 * Whether this client is to keep the result itself (CDS-43): the manifest declares it, the client is configured for it, and
 * the call names the server whose patient it is about.
 */
export function wantsResult(
  { declared }: HookService,
  { fhirServer }: Pick<HookRequest, 'fhirServer'>,
  { cdsHooks }: Principal,
): boolean {
  return declared.systemActions !== undefined && cdsHooks.systemActions && fhirServer !== undefined;
}

function resultActions({ version }: HookService, outcome: PredictionOutcome): SystemAction[] {
  if (outcome.state !== 'scored' || outcome.resource === undefined) return [];
  // The client's server gives what it keeps an id of its own.
  const { id: _own, ...resource } = outcome.resource;
  const description = `Keeps the result of ${version.manifest.title} ${version.manifest.version} in the record.`;
  return [{ type: 'create', description, resource }];
}
