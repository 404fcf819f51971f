import type { Reference, Resource } from '@medplum/fhirtypes';
import type { Principal } from '../../http/principal.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { PredictionOutcome, Scored } from '../../prediction/prediction-outcome.ts';
import type { Card, CardFrame, HookAnswer, SystemAction } from './card.ts';
import type { HookService } from './hook-service.ts';
import { outcomeCards } from './outcome-cards.ts';
import type { HookRequest } from './parse-hook-request.ts';
import { type HoldBack, isShownAgain, saidOf } from './shown-again.ts';

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

/** An answer that is not given yet. */
export interface ComputedAnswer extends HookAnswer {
  /** Whether its cards say what their reader was told already; asked once, when the answer is given. Absent: they do not. */
  readonly isShownAgain?: () => Promise<boolean>;
}

/** What a service answers once its outcome is there: its cards, and what the client is to do unasked. */
export function answerOutcome(
  service: HookService,
  outcome: PredictionOutcome,
  { frame, timeZone, principal, ...options }: AnswerFor,
): ComputedAnswer {
  const systemActions = wantsResult(service, options.request, principal) ? resultActions(service, outcome) : [];
  return {
    cards: outcomeCards(service, outcome, frame, timeZone),
    ...(systemActions.length === 0 ? {} : { systemActions }),
    isShownAgain: () => isShownAgain(service, saidOf(service, outcome), { ...options, card: frame.uuid }),
  };
}

/** The cards of an answer that is given now, without those that are held back; that they were told is remembered. */
export async function cardsToShow({ cards, isShownAgain: isAgain }: ComputedAnswer): Promise<readonly Card[]> {
  return (await isAgain?.()) === true ? [] : cards;
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
  const resource = atClientsServer(outcome.resource);
  const description = `Keeps the result of ${version.manifest.title} ${version.manifest.version} in the record.`;
  return [{ type: 'create', description, resource }];
}

/**
 * The result as another server can keep it: it gives an id of its own, and has no Device of ours: that is named by its
 * identifier alone.
 */
function atClientsServer({ id: _own, ...resource }: NonNullable<Scored['resource']>): SystemAction['resource'] {
  const named = ({ identifier, display }: Reference = {}): Pick<Reference, 'identifier' | 'display'> => ({
    ...(identifier === undefined ? {} : { identifier }),
    ...(display === undefined ? {} : { display }),
  });
  switch (resource.resourceType) {
    case 'Observation':
      return { ...resource, device: named(resource.device) };
    case 'RiskAssessment':
      return { ...resource, performer: named(resource.performer) };
    case 'DiagnosticReport':
      return { ...resource, contained: (resource.contained ?? []).map((part) => namingDevice(part, named)) };
  }
}

/** What a report contains names its maker as the report's parts do: Observations and Media by `device`, risks by `performer`. */
function namingDevice(
  part: Resource,
  named: (reference?: Reference) => Pick<Reference, 'identifier' | 'display'>,
): Resource {
  if (part.resourceType === 'Observation' || part.resourceType === 'Media')
    return { ...part, device: named(part.device) };
  return part.resourceType === 'RiskAssessment' ? { ...part, performer: named(part.performer) } : part;
}
