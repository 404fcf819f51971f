import { PredictionError } from '../platform/errors.ts';
import type { LogEvent } from '../platform/events.ts';
import type { PredictionOutcome, Scored } from '../prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../prediction/prediction-request.ts';

/** Scores shadow versions on the requests that the default has answered. */
export interface Shadows {
  /**
   * After an answer: asks each shadow of the model about the same record as of the same instant. Returns at once, and
   * nothing that comes of it reaches who asked.
   */
  follow(request: PredictionRequest, shown: PredictionOutcome): void;
  /** Drops what waits, and resolves when what is under way has ended. */
  close(): Promise<void>;
}

export interface ShadowsOptions {
  /** Versions of a model that are shadows now; none where the version that answered is not the default. */
  readonly shadowsOf: (shown: PredictionOutcome['model']) => readonly string[];
  /** The path, logged and accounted for. */
  readonly predict: (request: PredictionRequest) => Promise<PredictionOutcome>;
  /** How many predictions that somebody waits for are under way. */
  readonly waitedFor: () => number;
  readonly onShadow: (shadow: Scored, shown: Scored) => void;
  /** How long one may read and wait. */
  readonly timeoutMs: number;
  readonly event: (event: LogEvent) => void;
  readonly limits?: ShadowLimits;
}

/** What shadows may take of the server. */
export interface ShadowLimits {
  /** Asked at once. */
  readonly atOnce: number;
  /** Kept for later; what comes then is dropped. */
  readonly waiting: number;
  /** With as many predictions under way that somebody waits for, none is begun, and what comes is dropped. */
  readonly busyFrom: number;
  /** Drops of one model are reported together, so often. */
  readonly reportEveryMs: number;
}

const usualLimits: ShadowLimits = { atOnce: 2, waiting: 32, busyFrom: 8, reportEveryMs: 1_000 };

interface Waiting {
  readonly request: PredictionRequest;
  readonly shown: PredictionOutcome;
}

export function createShadows(options: ShadowsOptions): Shadows {
  const { shadowsOf, predict, waitedFor, onShadow, timeoutMs, event, limits = usualLimits } = options;
  const waiting: Waiting[] = [];
  const underWay = new Set<Promise<void>>();
  const dropped = new Map<string, number>();
  let reporting: NodeJS.Timeout | undefined;
  let isClosed = false;

  const report = (): void => {
    clearTimeout(reporting);
    reporting = undefined;
    for (const [model, count] of dropped) event({ name: 'shadow.dropped', model, dropped: count });
    dropped.clear();
  };
  const drop = ({ request: { model, version } }: Waiting): void => {
    const key = `${model}@${version}`;
    dropped.set(key, (dropped.get(key) ?? 0) + 1);
    reporting ??= setTimeout(report, limits.reportEveryMs).unref();
  };
  const ask = async ({ request, shown }: Waiting): Promise<void> => {
    const over = AbortSignal.timeout(timeoutMs);
    try {
      const outcome = await predict({
        ...request,
        answerBy: performance.now() + timeoutMs,
        signal: over,
        givenUp: over,
      });
      if (outcome.state === 'scored' && shown.state === 'scored') onShadow(outcome, shown);
    } catch (error) {
      // The path has logged it, and its row says so.
      if (!(error instanceof PredictionError)) event({ name: 'error.unexpected', error });
    }
  };
  const next = (): void => {
    while (!isClosed && underWay.size < limits.atOnce && waitedFor() < limits.busyFrom) {
      const first = waiting.shift();
      if (first === undefined) return;
      const asked = ask(first).finally(() => {
        underWay.delete(asked);
        setImmediate(next);
      });
      underWay.add(asked);
    }
    // Whoever is waited for goes on for a while: what a shadow would add is not worth keeping their records for.
    if (waitedFor() >= limits.busyFrom) for (const each of waiting.splice(0)) drop(each);
  };
  return {
    follow(request, shown) {
      // A run has too many members, and what a caller asserts is nobody's record.
      if (isClosed || request.shadow === true || request.entrance === 'cohort' || request.inputs.length > 0) return;
      const versions = shadowsOf(shown.model);
      if (versions.length === 0) return;
      for (const version of versions) {
        const each = { request: shadowRequest(request, shown, version), shown };
        if (waiting.length >= limits.waiting || waitedFor() >= limits.busyFrom) drop(each);
        else waiting.push(each);
      }
      // The answer goes out first.
      setImmediate(next);
    },
    async close() {
      isClosed = true;
      for (const each of waiting.splice(0)) drop(each);
      report();
      await Promise.all(underWay);
    },
  };
}

/** The same question to another version. Feedback to the card is none to the shadow. */
function shadowRequest(request: PredictionRequest, shown: PredictionOutcome, version: string): PredictionRequest {
  const { caller: { card: _card, ...caller } = {} } = request;
  return {
    ...request,
    caller,
    model: shown.model.id,
    version,
    asOf: shown.asOf,
    writeBack: false,
    build: false,
    explain: false,
    shadow: true,
  };
}
