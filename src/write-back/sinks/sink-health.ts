import { type DeliveryOutcome, isSinkFault } from './delivery.ts';
import type { ClaimedDelivery } from './delivery-table.ts';

/** Tells a sink that refuses everything from a sink that refuses one result, by how the others fare in between. */
export interface SinkHealth {
  /**
   * @returns the outcome, which counts against the result where the sink took others after it had refused this one, and
   * has refused no other since
   */
  judge(claimed: ClaimedDelivery, outcome: DeliveryOutcome, now: Date): DeliveryOutcome;
}

export function createSinkHealth(): SinkHealth {
  let tookAt: Date | undefined;
  return {
    judge(claimed, outcome, now) {
      if (outcome.kind === 'delivered' && outcome.receipt !== claimed.receipt && outcome.receipt.skipped === undefined)
        tookAt = now;
      if (outcome.kind !== 'failed' || !isSinkFault(outcome)) return outcome;
      const { refusedAt } = claimed;
      if (wasRefused(outcome) && refusedAt !== undefined && tookAt !== undefined && refusedAt <= tookAt)
        return { ...outcome, counts: true };
      tookAt = undefined;
      return outcome;
    },
  };
}

/** True where the sink said no: one that cannot be reached says nothing of any result. */
export function wasRefused(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'failed' && !outcome.counts && outcome.error.status !== undefined && isSinkFault(outcome);
}
