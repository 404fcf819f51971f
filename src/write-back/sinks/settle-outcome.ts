import type { DeliveryOutcome } from './delivery.ts';
import type { ClaimedDelivery, Settlement } from './delivery-table.ts';

/** How often, and after which pauses, one result is tried. */
export interface RetryRules {
  readonly maxAttempts: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
}

/** Doubles with each failure in a row. @param failures from 1 on */
export function backoffMs({ firstRetryMs, maxRetryMs }: RetryRules, failures: number): number {
  return Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 40), maxRetryMs);
}

/**
 * What an attempt's outcome means for the row of the result.
 * @param refusedForMs the result was sent by itself and refused, for what seems a fault of the sink: it is left alone for
 * so long, and the sink is asked about others meanwhile
 */
export function settleOutcome(
  claimed: ClaimedDelivery,
  outcome: DeliveryOutcome,
  rules: RetryRules,
  now: Date,
  refusedForMs?: number,
): Settlement {
  const { identifier, attempts, alone, unsure, refusedAt } = claimed;
  const refused = refusedAt === undefined ? {} : { refusedAt };
  switch (outcome.kind) {
    case 'delivered':
      return { identifier, state: 'delivered', attempts: 0, alone: false, unsure: false, receipt: outcome.receipt };
    case 'unsent':
      return { identifier, state: 'pending', attempts, alone, unsure, ...refused };
    case 'dead':
      return {
        ...dead(claimed, attempts + 1, unsure || outcome.unsure === true),
        error: outcome.error,
        ...receiptOf(outcome),
      };
    case 'failed': {
      const { error, counts } = outcome;
      const left = { unsure: unsure || outcome.unsure };
      const tried = counts ? attempts + 1 : attempts;
      if (tried >= rules.maxAttempts) return { ...dead(claimed, tried, left.unsure), error, ...receiptOf(outcome) };
      const waitMs = refusedForMs ?? (counts && outcome.alone !== true ? backoffMs(rules, tried) : undefined);
      return {
        identifier,
        state: 'pending',
        attempts: tried,
        alone: alone || outcome.alone === true || refusedForMs !== undefined,
        ...left,
        error,
        ...(waitMs === undefined ? {} : { nextAttemptAt: new Date(now.getTime() + waitMs) }),
        ...(refusedForMs === undefined ? refused : { refusedAt: refusedAt ?? now }),
        ...receiptOf(outcome),
      };
    }
  }
}

function dead({ identifier }: ClaimedDelivery, attempts: number, unsure: boolean): Settlement {
  return { identifier, state: 'dead', attempts, alone: true, unsure };
}

function receiptOf({ receipt }: Extract<DeliveryOutcome, { kind: 'failed' | 'dead' }>): Pick<Settlement, 'receipt'> {
  return receipt === undefined ? {} : { receipt };
}
