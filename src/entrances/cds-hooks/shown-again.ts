import type { CardToShow } from '../../monitoring/held-cards.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import { before } from './before.ts';
import type { HookService } from './hook-service.ts';
import { levelOf } from './outcome-cards.ts';
import type { HookRequest } from './parse-hook-request.ts';

/** Decides whether a card is held back, and remembers what is said. */
export type HoldBack = (card: CardToShow) => Promise<boolean>;

export interface ShownAgainOptions {
  readonly request: Pick<HookRequest, 'context' | 'fhirServer'>;
  readonly focus: string | undefined;
  /** UUID of the card. */
  readonly card: string;
  readonly holdBack: HoldBack;
  /** When the answer is due, on the clock of performance.now(). */
  readonly dueMs: number;
  readonly event: (event: LogEvent) => void;
}

/**
 * Whether the card of an outcome says what its reader was told already and is left out (alert burden). Only where the
 * manifest wants that and the call says who reads it and whose server it is; never a critical card, nor one whose band is
 * another. Where it cannot be told in time, the card is shown: one too many harms nobody.
 */
export async function isShownAgain(
  service: HookService,
  outcome: PredictionOutcome,
  { request, focus, card, holdBack, dueMs, event }: ShownAgainOptions,
): Promise<boolean> {
  const { heldForMs, outcome: about } = service;
  const { userId, patientId, encounterId } = request.context;
  const score = outcome.state === 'scored' ? outcome.scores.get(about.id) : undefined;
  if (heldForMs === undefined || userId === undefined || request.fhirServer === undefined) return false;
  if (outcome.state !== 'scored' || score === undefined) return false;
  const band = outcome.levels.get(about.id)?.code;
  if (band === undefined) return false;
  const { show } = levelOf(service, band, score);
  const mayBeHeld = show === 'info' || show === 'warning';
  const asked = holdBack({
    service: service.id,
    user: userId,
    subject: { base: outcome.subjectBase, id: patientId },
    encounter: encounterId,
    focus,
    model: outcome.model,
    band,
    card,
    ...(mayBeHeld ? { heldForMs } : {}),
  }).catch((error: unknown) => {
    event({ name: 'cds-hook.repeats-unknown', service: service.id, error });
    return false;
  });
  const isHeld = (await before(dueMs, asked)) === true && mayBeHeld;
  const { id: model, version } = outcome.model;
  if (isHeld) event({ name: 'cds-hook.held-back', service: service.id, model, version });
  return isHeld;
}
