import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import { type Attempt, type Delivery, type DeliveryOutcome, isSinkFault, type Sink } from './delivery.ts';
import { type Claim, claimDeliveries, nextDue, renewLease, settleDeliveries } from './delivery-table.ts';
import { readStoredResults } from './read-stored-results.ts';
import { backoffMs, type RetryRules, settleOutcome } from './settle-outcome.ts';
import { createSinkHealth, wasRefused } from './sink-health.ts';

/** Resolves after so many milliseconds, or at once when the signal aborts. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export interface SinkRunOptions {
  readonly database: Database;
  readonly tenant: string;
  readonly clock: Clock;
  readonly wait: Wait;
  /** Names a batch; of two, the later sorts behind. */
  readonly newBatch: () => string;
  readonly newId: () => string;
  readonly event: (event: LogEvent) => void;
  readonly sink: Sink;
  readonly rules: RetryRules & { readonly batchSize: number };
}

export interface SinkRun {
  /** Says that there is something to do. */
  wake(): void;
  /** Begins nothing more; resolves when the batch under way is settled, whose requests are given up after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** A sender that says nothing for so long is taken for dead. */
const leaseMs = 15_000;
/** How often results of other servers on the same database are looked for. */
const pollMs = 1_000;

/** Delivers to one sink, batch after batch, until it is closed. Other sinks have runs of their own. */
export function runSink(options: SinkRunOptions): SinkRun {
  const { database, tenant, clock, wait, sink, rules, event } = options;
  const stop = new AbortController();
  const health = createSinkHealth();
  let closing = false;
  let failures = 0;
  let alarm = new AbortController();

  const sleep = async (ms: number): Promise<void> => {
    if (!closing) await wait(ms, alarm.signal);
    if (alarm.signal.aborted && !closing) alarm = new AbortController();
  };
  /** New results are no reason to ask a sink sooner that failed. */
  const pause = async (ms: number): Promise<void> => {
    const until = clock.now().getTime() + ms;
    for (let left = ms; left > 0 && !closing; left = until - clock.now().getTime()) await sleep(left);
  };

  const loop = async (): Promise<void> => {
    while (!closing) {
      try {
        const claim = await claimNext();
        if (claim === undefined) await untilDue();
        else await pause(await deliverClaim(claim));
      } catch (error) {
        failures += 1;
        event({ name: 'delivery.interrupted', sink: sink.name, error });
        await pause(backoffMs(rules, failures));
      }
    }
  };
  const running = loop();

  async function claimNext(): Promise<Claim | undefined> {
    return await claimDeliveries(database, {
      tenant,
      sink: sink.name,
      // One at a time until a sink that failed is well again.
      limit: failures > 0 ? 1 : rules.batchSize,
      probing: failures > 0,
      now: clock.now(),
      leaseMs,
      newBatch: options.newBatch(),
      newSender: options.newId(),
    });
  }

  /** Looks now and then, by one cheap statement, whether there is something to do. */
  async function untilDue(): Promise<void> {
    let leftMs = pollMs;
    while (leftMs > 0 && !closing) {
      await sleep(leftMs);
      const due = closing ? 'now' : await nextDue(database, tenant, sink.name);
      if (due === 'now') return;
      leftMs = due === undefined ? pollMs : Math.min(due.getTime() - clock.now().getTime(), pollMs);
    }
  }

  /** @returns milliseconds to leave the sink alone */
  async function deliverClaim(claim: Claim): Promise<number> {
    const startedMs = performance.now();
    const done = new AbortController();
    const heartbeat = keepLease(claim.sender, done.signal);
    try {
      const { outcomes, retryAfterMs = 0 } = await attempt(claim);
      const now = clock.now();
      const alone = claim.deliveries.length === 1;
      const judged = claim.deliveries.map((claimed) => {
        const outcome: DeliveryOutcome = outcomes.get(claimed.identifier) ?? { kind: 'unsent' };
        return { claimed, outcome: health.judge(claimed, outcome, now), before: outcome };
      });
      const all = judged.map(({ outcome }) => outcome);
      // The sink is well: it is this one that it does not take.
      const blamed = judged.some(({ outcome, before }) => outcome !== before);
      const pauseMs = blamed && alone ? retryAfterMs : pauseAfter(all, retryAfterMs);
      const settlements = judged.map(({ claimed, outcome }) =>
        settleOutcome(claimed, outcome, rules, now, alone && wasRefused(outcome) ? pauseMs : undefined),
      );
      await settleDeliveries(database, { tenant, sink: sink.name, sender: claim.sender, now }, settlements);
      report(all, settlements.filter(({ state }) => state === 'dead').length, pauseMs, performance.now() - startedMs);
      return pauseMs;
    } finally {
      done.abort();
      await heartbeat;
    }
  }

  async function attempt(claim: Claim): ReturnType<Sink['deliver']> {
    const stored = await readStoredResults(database, tenant, claim.deliveries);
    const outcomes = new Map<string, DeliveryOutcome>();
    const deliveries = claim.deliveries.flatMap((claimed): Delivery[] => {
      const { identifier, resourceId, resourceType, receipt, unsure, changed } = claimed;
      const name = `${resourceType}/${resourceId}`;
      const result = stored.get(name);
      if (result?.tampered === true) {
        outcomes.set(identifier, tampered(name));
        return [];
      }
      if (result !== undefined) return [{ result, unsure, changed, ...(receipt === undefined ? {} : { receipt }) }];
      // What was deleted here stays at the sink as it is.
      const skipped = { at: sink.at, superseded: false, resources: {}, skipped: 'deleted' } as const;
      outcomes.set(identifier, { kind: 'delivered', receipt: receipt ?? skipped });
      return [];
    });
    if (deliveries.length === 0) return { outcomes };
    const delivered = await deliverGuarded(claim, deliveries);
    for (const [identifier, outcome] of delivered.outcomes) outcomes.set(identifier, outcome);
    return { ...delivered, outcomes };
  }

  /** A result that cannot even be prepared must not hold up the others: it is tried alone, and dies alone. */
  async function deliverGuarded(attempt: Attempt, deliveries: readonly Delivery[]): ReturnType<Sink['deliver']> {
    try {
      return await sink.deliver(attempt, deliveries, stop.signal, () => closing);
    } catch (error) {
      // The system's own errors say nothing about a result: the batch is taken up again as it is.
      const aboutResult = error instanceof PredictionError && error.code === 'RESULT_INVALID';
      if (!aboutResult && error instanceof Error && 'code' in error) throw error;
      event({ name: 'delivery.interrupted', sink: sink.name, error });
      const text = 'The result could not be prepared for the sink; the log has the error.';
      const failed: DeliveryOutcome = {
        kind: 'failed',
        counts: deliveries.length === 1,
        unsure: true,
        alone: true,
        error: { reason: 'unprepared', text },
      };
      return { outcomes: new Map(deliveries.map(({ result }) => [result.identifier, failed])) };
    }
  }

  async function keepLease(sender: string, done: AbortSignal): Promise<void> {
    for (;;) {
      await wait(leaseMs / 3, done);
      if (done.aborted) return;
      try {
        await renewLease(database, { tenant, sink: sink.name, sender, leaseMs });
      } catch (error) {
        event({ name: 'delivery.interrupted', sink: sink.name, error });
      }
    }
  }

  function pauseAfter(outcomes: readonly DeliveryOutcome[], retryAfterMs: number): number {
    const failed = outcomes.filter((outcome) => outcome.kind === 'failed');
    const delivered = outcomes.some(({ kind }) => kind === 'delivered' || kind === 'dead');
    const unwell = failed.some(isSinkFault) || (!delivered && failed.some(({ alone }) => alone !== true));
    failures = unwell ? failures + 1 : 0;
    return unwell ? Math.max(backoffMs(rules, failures), retryAfterMs) : 0;
  }

  function report(outcomes: readonly DeliveryOutcome[], dead: number, retryInMs: number, durationMs: number): void {
    const delivered = outcomes.flatMap((outcome) => (outcome.kind === 'delivered' ? [outcome.receipt] : []));
    const skipped = delivered.filter((receipt) => receipt.skipped !== undefined).length;
    const common = { sink: sink.name, durationMs };
    if (delivered.length > 0) event({ name: 'delivery.sent', ...common, results: delivered.length - skipped, skipped });
    const failed = outcomes.flatMap((outcome) =>
      outcome.kind === 'failed' || outcome.kind === 'dead' ? [outcome.error] : [],
    );
    const [first] = failed;
    if (first === undefined) return;
    const why = { reason: first.reason, ...(first.status === undefined ? {} : { status: first.status }) };
    event({ name: 'delivery.failed', ...common, ...why, results: failed.length, retryInMs });
    if (dead > 0) event({ name: 'delivery.dead', sink: sink.name, ...why, results: dead });
  }

  return {
    wake: () => alarm.abort(),
    async close(graceMs) {
      closing = true;
      alarm.abort();
      const grace = new AbortController();
      await Promise.race([running, wait(graceMs, grace.signal)]);
      grace.abort();
      stop.abort();
      await running;
      await sink.close();
    },
  };
}

/** What somebody else wrote is not given to others as what the model computed. */
function tampered(name: string): DeliveryOutcome {
  const text =
    `RESULT_INVALID: ${name} was changed by somebody else after it was made, and is no longer what ` +
    'the model computed. Take the change back, or delete it, and re-drive.';
  return { kind: 'dead', error: { reason: 'changed', text } };
}
