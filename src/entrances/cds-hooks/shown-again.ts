import type { CardToShow } from '../../monitoring/held-cards.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { NamedModel, PredictionOutcome } from '../../prediction/prediction-outcome.ts';
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

/** What a card says, of which patient of which server. */
export interface Said {
  readonly text: string;
  /** False for what is never held back. */
  readonly mayBeHeld: boolean;
  readonly model: NamedModel;
  readonly subjectBase: string;
}

/**
 * Whether a card says what its reader was told already and is left out (alert burden). Only where the
 * manifest wants that and the call says who reads it and whose server it is; never a critical card, nor one that says another
 * band or is shown otherwise. Asked of an answer that is about to be given alone: what nobody got was not told. What shows no
 * card, or gives no number, holds nothing back and is remembered all the same, so that what was said before it is said again.
 * Where it cannot be told in time, the card is shown: one too many harms nobody.
 */
export async function isShownAgain(
  service: HookService,
  { text, mayBeHeld, model: named, subjectBase }: Said,
  { request, focus, card, holdBack, dueMs, event }: ShownAgainOptions,
): Promise<boolean> {
  const { heldForMs, outcome: about } = service;
  const { userId, patientId, encounterId } = request.context;
  if (heldForMs === undefined || userId === undefined || request.fhirServer === undefined) return false;
  const asked = holdBack({
    service: service.id,
    hook: service.hook,
    outcome: about.id,
    user: userId,
    subject: { base: subjectBase, id: patientId },
    encounter: encounterId,
    focus,
    model: named,
    said: text,
    card,
    ...(mayBeHeld ? { heldForMs } : {}),
  }).catch((error: unknown) => {
    event({ name: 'cds-hook.repeats-unknown', service: service.id, error });
    return false;
  });
  const isHeld = (await before(dueMs, asked)) === true && mayBeHeld;
  const { id: model, version } = named;
  if (isHeld) event({ name: 'cds-hook.held-back', service: service.id, model, version });
  return isHeld;
}

/** What a card says of its outcome: how it is shown and which band, or why there is no number. */
export function saidOf(service: HookService, outcome: PredictionOutcome): Said {
  const { model, subjectBase } = outcome;
  const { id } = service.outcome;
  const score = outcome.state === 'scored' ? outcome.scores.get(id) : undefined;
  if (outcome.state !== 'scored' || score === undefined)
    return {
      text: `no score: ${outcome.inputs.verdicts.get(id)?.state ?? 'unknown'}`,
      mayBeHeld: false,
      model,
      subjectBase,
    };
  return { ...saidAtScore(service, score, outcome.levels.get(id)?.code), model, subjectBase };
}

/** How a score is shown, and which band it has. Of a score alone nobody can say what is the same again. */
export function saidAtScore(
  service: HookService,
  score: number,
  band: string | undefined,
): Pick<Said, 'text' | 'mayBeHeld'> {
  const { show } = levelOf(service, band, score);
  const mayBeHeld = band !== undefined && (show === 'info' || show === 'warning');
  return { text: `${show}: ${band ?? 'no band'}`, mayBeHeld };
}
