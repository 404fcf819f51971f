import { setInterval as every } from 'node:timers';
import type { Clock } from '../../platform/clock.ts';
import type { Sql } from '../../platform/database.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import { finishNotice, holdNotice, type NoticeEnd, type NoticeScope, type TakenNotice } from './study-notice-table.ts';
import type { FoundStudy, StudyFinder, StudySubscription } from './study-subscription.ts';

export interface NoticeWorkParts extends NoticeScope {
  readonly database: Sql;
  readonly clock: Clock;
  readonly studies: StudyFinder;
  /** The path every entrance calls. */
  readonly predict: (request: PredictionRequest) => Promise<PredictionOutcome>;
  readonly newId: () => string;
  readonly event: (event: LogEvent) => void;
  /** How long the record, the images and the model of one study may take. */
  readonly timeoutMs: number;
  /** After this time without a sign of the server that took a study, another takes it. */
  readonly leaseMs: number;
}

/** So often a study is tried that cannot be reached or written, and so often one that is incomplete is looked at. */
const mostAttempts = 10;
const mostWaits = 12;
const firstRetryMs = 5_000;
const longestRetryMs = 10 * 60_000;
/** What may pass by itself. */
const passing: readonly string[] = [
  'RECORD_UNREACHABLE',
  'IMAGES_UNREACHABLE',
  'ENGINE_UNAVAILABLE',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'DATABASE_UNAVAILABLE',
  'STORAGE_FULL',
  'STARTING',
  'SHUTTING_DOWN',
  'MODEL_NOT_READY',
  'MODEL_DISABLED',
  'WRITE_CONFLICT',
];

/**
 * Predicts about one study that was told of. What the notice said is not used: the study is read from the record source, and has to
 * fit the criteria of the subscription (SUB-15). Never rejects, unless the database does.
 * @param closing aborted when the server closes: the study stays due then
 */
export async function workNotice(
  parts: NoticeWorkParts,
  taken: TakenNotice,
  subscription: StudySubscription,
  closing: AbortSignal,
): Promise<void> {
  const { database, clock, event, leaseMs } = parts;
  const holding = every(() => {
    holdNotice(database, parts, taken, new Date(clock.now().getTime() + leaseMs)).catch((error: unknown) =>
      event({ name: 'error.unexpected', error }),
    );
  }, leaseMs / 3);
  const startedMs = performance.now();
  const names = { subscription: subscription.name, model: taken.model };
  let study: FoundStudy | undefined;
  try {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(parts.timeoutMs)]);
    study = await parts.studies.find(taken.study, subscription.criteria, signal);
    const end = await endOf(parts, taken, subscription, study, signal);
    await finishNotice(database, parts, taken, { ...owned(study), ...end.notice, at: clock.now() });
    event({ name: 'study-notice.worked', ...names, state: end.state, durationMs: performance.now() - startedMs });
  } catch (error) {
    const at = clock.now();
    if (closing.aborted)
      return await finishNotice(database, parts, taken, {
        dueAt: at,
        attempts: taken.attempts,
        waits: taken.waits,
        at,
      });
    const attempts = taken.attempts + 1;
    const goesOn = mayPass(error) && attempts < mostAttempts;
    const waitMs = Math.min(firstRetryMs * 2 ** taken.attempts, longestRetryMs);
    const again = goesOn ? { dueAt: new Date(at.getTime() + waitMs), attempts, waits: taken.waits } : {};
    await finishNotice(database, parts, taken, { ...owned(study), ...again, at });
    event({ name: goesOn ? 'study-notice.postponed' : 'study-notice.given-up', ...names, attempts, error });
  } finally {
    clearInterval(holding);
  }
}

async function endOf(
  parts: NoticeWorkParts,
  taken: TakenNotice,
  subscription: StudySubscription,
  study: FoundStudy | undefined,
  signal: AbortSignal,
): Promise<{ readonly state: NoticeState; readonly notice: Omit<NoticeEnd, 'at'> }> {
  if (study?.subject === undefined) return { state: 'no-study', notice: {} };
  const seen = study.version === undefined ? {} : { seen: study.version };
  if (study.version !== undefined && study.version === taken.seen) return { state: 'unchanged', notice: {} };
  // Given up before it began: whoever waits for the signal would wait for ever.
  signal.throwIfAborted();
  const outcome = await parts.predict({
    requestId: parts.newId(),
    entrance: 'subscription',
    caller: { client: `subscription ${subscription.name}` },
    model: taken.model,
    subject: study.subject,
    focus: `ImagingStudy/${study.id}`,
    asOf: taken.asOf,
    seed: [],
    inputs: [],
    writeBack: subscription.writeBack,
    signal,
    givenUp: signal,
  });
  if (outcome.state === 'scored') return { state: 'scored', notice: seen };
  if (!isIncomplete(outcome)) return { state: 'abstained', notice: seen };
  const waits = taken.waits + 1;
  if (waits >= mostWaits) return { state: 'incomplete', notice: {} };
  const waitMs = subscription.quietPeriodMs * 2 ** Math.min(taken.waits, 5);
  const dueAt = new Date(parts.clock.now().getTime() + Math.max(waitMs, firstRetryMs));
  return { state: 'incomplete', notice: { dueAt, waits } };
}

type NoticeState = 'scored' | 'abstained' | 'incomplete' | 'unchanged' | 'no-study';

/** Whether the model said nothing because the study is not whole yet. */
function isIncomplete({ inputs }: PredictionOutcome): boolean {
  return [...inputs.features.values()].some(
    (value) => value.state === 'missing' && value.because === 'study-incomplete',
  );
}

function owned(study: FoundStudy | undefined): { readonly subject?: string } {
  return study?.subject === undefined ? {} : { subject: study.subject };
}

function mayPass(error: unknown): boolean {
  return !(error instanceof PredictionError) || passing.includes(error.code);
}
