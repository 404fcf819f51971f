import type { Database } from '../../platform/database.ts';
import { PredictionError } from '../../platform/errors.ts';
import { askForCheck, beginChecks, finishCheck, takeCheck } from './study-check-table.ts';
import { countDue, freeNotices, noteStudies, pruneNotices, takeNotice } from './study-notice-table.ts';
import type { StudySubscription } from './study-subscription.ts';
import { type NoticeWorkParts, workNotice } from './work-notice.ts';

/** Studies that FHIR servers tell of: each is predicted about once it has been quiet, whatever happens to this process meanwhile. */
export interface StudyNotices {
  /**
   * Keeps that studies were told of, and comes back at once (SUB-4). Throws RATE_LIMITED where too many wait.
   * @param ids logical ids of ImagingStudies
   */
  note(subscription: StudySubscription, ids: readonly string[]): Promise<void>;
  /** The server says that something has changed, and not what (SUB-2): it is asked. */
  noteSomething(subscription: StudySubscription): Promise<void>;
  /** From then on studies are worked on, and subscriptions checked. */
  start(): Promise<void>;
  /** Gives up what is under way, and leaves it to the next start or to another server. */
  close(): Promise<void>;
}

export interface StudyNoticesParts extends Omit<NoticeWorkParts, 'database'> {
  readonly database: Database;
  readonly subscriptions: readonly StudySubscription[];
  /** Studies worked on at once. */
  readonly lanes: number;
  /** How often it is looked for what is due. */
  readonly pollMs: number;
  /** True where no other server works on this database: what is taken when it starts was taken by one that is gone. */
  readonly alone: boolean;
  /** Studies of one subscription that may wait. */
  readonly mostWaiting: number;
}

/** A study is due after so many quiet periods at the latest, however often it is told of. */
const quietPeriodsAtMost = 10;
/** Clocks of two servers differ: what changed so long before the last check is asked for again. */
const overlapMs = 10 * 60_000;
/** A check that broke off is made again after this time. */
const checkRetryMs = 60_000;
const keptMs = 90 * 86_400_000;
const pruneEveryMs = 3_600_000;

export function openStudyNotices(parts: StudyNoticesParts): StudyNotices {
  const { clock, event, subscriptions } = parts;
  const closing = new AbortController();
  const names = subscriptions.map(({ name }) => name);
  const running = new Set<Promise<void>>();
  const background = parts.database.background;
  let looped: Promise<void> | undefined;
  let wakeUp = (): void => undefined;
  let woken = false;
  let prunedMs = Number.NEGATIVE_INFINITY;
  const wake = (): void => {
    woken = true;
    wakeUp();
  };
  const timesOf = ({ quietPeriodMs }: StudySubscription) => ({
    now: clock.now(),
    quietMs: quietPeriodMs,
    longestMs: quietPeriodMs * quietPeriodsAtMost,
  });

  const check = async (): Promise<boolean> => {
    const begun = clock.now();
    const again = new Date(begun.getTime() + checkRetryMs);
    const due = await takeCheck(background, parts, names, { now: begun, again });
    const subscription = subscriptions.find(({ name }) => name === due?.subscription);
    if (due === undefined || subscription === undefined) return false;
    const since = new Date(due.since.getTime() - overlapMs);
    let studies = 0;
    try {
      for await (const page of parts.studies.changedSince(since, subscription.criteria, closing.signal)) {
        const found = page.flatMap(({ id, version }) =>
          subscription.models.map((model) => ({ model, study: id, version: version ?? '' })),
        );
        if (found.length > 0)
          studies += await noteStudies(background, parts, subscription.name, found, timesOf(subscription));
      }
    } catch (error) {
      if (!closing.signal.aborted) event({ name: 'study-notice.check-failed', subscription: subscription.name, error });
      return false;
    }
    const next = new Date(clock.now().getTime() + subscription.checkEveryMs);
    await finishCheck(background, parts, subscription.name, { begun, taken: again, next });
    event({ name: 'study-notice.checked', subscription: subscription.name, studies });
    return true;
  };
  /** @returns whether there may be more to do at once */
  const step = async (): Promise<boolean> => {
    if (performance.now() - prunedMs >= pruneEveryMs) {
      prunedMs = performance.now();
      await pruneNotices(background, parts, new Date(clock.now().getTime() - keptMs));
    }
    if (await check()) return true;
    if (running.size >= parts.lanes || closing.signal.aborted) return false;
    const taken = await takeNotice(background, parts, clock.now(), parts.leaseMs);
    if (taken === undefined) return false;
    const subscription = subscriptions.find(({ name }) => name === taken.subscription);
    // One that is no longer declared: its lease ends by itself, and nothing is done until it is declared again.
    if (subscription === undefined) return true;
    const work = workNotice({ ...parts, database: background }, taken, subscription, closing.signal)
      .catch((error: unknown) => event({ name: 'error.unexpected', error }))
      .finally(() => {
        running.delete(work);
        wake();
      });
    running.add(work);
    return true;
  };
  const loop = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      woken = false;
      let more = false;
      try {
        more = await step();
      } catch (error) {
        if (!closing.signal.aborted) event({ name: 'error.unexpected', error });
      }
      if (!more && !woken) await sleep();
    }
  };
  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, parts.pollMs);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
      if (closing.signal.aborted) wakeUp();
    });

  return {
    async note(subscription, ids) {
      if (ids.length === 0) return;
      if ((await countDue(parts.database, parts, subscription.name)) >= parts.mostWaiting)
        throw new PredictionError(
          'RATE_LIMITED',
          `${parts.mostWaiting} studies of this subscription wait, which is as many as may. Tell of it again later; what has changed is asked for besides.`,
          { retryAfterSeconds: 60 },
        );
      const found = [...new Set(ids)].flatMap((study) => subscription.models.map((model) => ({ model, study })));
      await noteStudies(parts.database, parts, subscription.name, found, timesOf(subscription));
      event({ name: 'study-notice.received', subscription: subscription.name, studies: new Set(ids).size });
      wake();
    },
    async noteSomething(subscription) {
      await askForCheck(parts.database, parts, subscription.name, clock.now());
      event({ name: 'study-notice.received', subscription: subscription.name, studies: 0 });
      wake();
    },
    async start() {
      if (looped !== undefined) return;
      if (parts.alone) await freeNotices(parts.database, parts);
      await beginChecks(parts.database, parts, names, clock.now());
      looped = loop();
    },
    async close() {
      closing.abort();
      wakeUp();
      await looped;
      await Promise.all(running);
    },
  };
}
