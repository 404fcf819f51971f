import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureValue } from '../../../src/features/feature-vector.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import type { PredictionOutcome } from '../../../src/prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../../src/prediction/prediction-request.ts';
import { openStudyNotices, type StudyNotices } from '../../../src/runs/study-notices/open-study-notices.ts';
import { takeNotice } from '../../../src/runs/study-notices/study-notice-table.ts';
import type { FoundStudy, StudySubscription } from '../../../src/runs/study-notices/study-subscription.ts';
import { scoredOutcome } from '../../support/prediction-outcome.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const chest: StudySubscription = {
  name: 'chest',
  models: ['chest-model'],
  criteria: [['modality', 'DX']],
  quietPeriodMs: 60_000,
  checkEveryMs: 900_000,
  writeBack: true,
};

let test: TestDatabase;
const opened: StudyNotices[] = [];
beforeAll(async () => {
  test = await openTestDatabase();
});
afterEach(async () => {
  for (const notices of opened.splice(0)) await notices.close();
});
afterAll(() => test.close());

interface Studies {
  /** By id, as the record source holds them. */
  readonly held: Map<string, FoundStudy & { readonly changedAt: Date }>;
  /** The searches by time that were sent. */
  readonly asked: Date[];
}

interface House {
  readonly notices: StudyNotices;
  readonly asked: PredictionRequest[];
  readonly events: LogEvent[];
  readonly studies: Studies;
  readonly base: string;
  pass(ms: number): void;
  now(): Date;
}

type Predict = (request: PredictionRequest) => Promise<PredictionOutcome>;

const noStudies = (): Studies => ({ held: new Map(), asked: [] });

/** A server on the database of the test, whose time passes only by `pass`. */
function open(predict: Predict = async () => scoredOutcome(), of: Partial<House> = {}): House {
  const { base = randomUUID(), studies = noStudies() } = of;
  let nowMs = of.now?.().getTime() ?? Date.parse('2026-03-01T10:00:30Z');
  const asked: PredictionRequest[] = [];
  const events: LogEvent[] = [];
  const notices = openStudyNotices({
    database: test.database,
    tenant: 'test',
    fhirBase: base,
    clock: { now: () => new Date(nowMs) },
    event: (event) => void events.push(event),
    newId: randomUUID,
    studies: {
      find: async (id) => studies.held.get(id),
      async *changedSince(since) {
        studies.asked.push(since);
        yield [...studies.held.values()].filter(({ changedAt }) => changedAt >= since);
      },
    },
    predict: (request) => {
      asked.push(request);
      return predict(request);
    },
    subscriptions: [chest],
    lanes: 2,
    pollMs: 5,
    leaseMs: 30_000,
    timeoutMs: 10_000,
    alone: false,
    mostWaiting: 50,
  });
  opened.push(notices);
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { notices, asked, events, studies, base, pass, now: () => new Date(nowMs) };
}

function hold({ studies, now }: House, id: string, version = '1'): void {
  studies.held.set(id, { id, subject: '17', version, changedAt: now() });
}

const worked = ({ events }: House) =>
  events.flatMap((event) => (event.name === 'study-notice.worked' ? [event.state] : []));
const until = (read: () => unknown, expected: unknown) => expect.poll(read, { timeout: 20_000 }).toEqual(expected);

/** An abstention because the study is not whole. */
function incomplete(): PredictionOutcome {
  const { inputs, ...rest } = scoredOutcome();
  const missing = {
    state: 'missing',
    because: 'study-incomplete',
    detail: 'none',
    sources: [],
  } as unknown as FeatureValue;
  return {
    ...rest,
    state: 'abstained',
    inputs: { ...inputs, features: new Map([['chest', missing]]) },
  } as PredictionOutcome;
}

describe('a study that is told of', () => {
  it('SUB-4: is predicted about once, after the quiet period, however often it was told of', async () => {
    const house = open();
    await house.notices.start();
    hold(house, 's1');
    for (let time = 0; time < 5; time++) {
      await house.notices.note(chest, ['s1']);
      house.pass(10_000);
    }
    await house.notices.note(chest, ['s1']);
    house.pass(59_000);
    expect(house.asked).toEqual([]);
    house.pass(1_000);
    await until(() => worked(house), ['scored']);
    expect(house.asked).toMatchObject([
      { entrance: 'subscription', model: 'chest-model', subject: '17', focus: 'ImagingStudy/s1', writeBack: true },
    ]);
  });

  it('SUB-15: is not put off for ever by somebody who tells of it again and again', async () => {
    const house = open();
    await house.notices.start();
    hold(house, 's1');
    for (let second = 0; second < 660; second += 30) {
      await house.notices.note(chest, ['s1']);
      house.pass(30_000);
    }
    await until(() => house.asked.length, 1);
  });

  it('SUB-4: is predicted about once more where it was told of, and had changed, while it was worked on', async () => {
    let finish = (): void => undefined;
    const house = open(
      () =>
        new Promise((resolve) => {
          finish = () => resolve(scoredOutcome());
        }),
    );
    await house.notices.start();
    hold(house, 's1', '1');
    await house.notices.note(chest, ['s1']);
    house.pass(60_000);
    await until(() => house.asked.length, 1);
    hold(house, 's1', '2');
    for (let time = 0; time < 3; time++) await house.notices.note(chest, ['s1']);
    finish();
    await until(() => worked(house), ['scored']);
    expect(house.asked).toHaveLength(1);
    house.pass(60_000);
    await until(() => house.asked.length, 2);
    finish();
    await until(() => worked(house), ['scored', 'scored']);
  });

  it('SUB-4: is not predicted about again where a late notice tells of the version that was', async () => {
    const house = open();
    await house.notices.start();
    hold(house, 's1');
    for (let time = 0; time < 2; time++) {
      await house.notices.note(chest, ['s1']);
      house.pass(60_000);
      await until(() => worked(house).length, time + 1);
    }
    expect(worked(house)).toEqual(['scored', 'unchanged']);
    expect(house.asked).toHaveLength(1);
  });

  it('SUB-15: is left alone where it is not at the record source, or does not fit the criteria', async () => {
    const house = open();
    await house.notices.start();
    await house.notices.note(chest, ['made-up']);
    house.pass(60_000);
    await until(() => worked(house), ['no-study']);
    expect(house.asked).toEqual([]);
  });

  it('SUB-15: is refused where too many wait', async () => {
    const house = open();
    await house.notices.note(
      chest,
      Array.from({ length: 50 }, (_, index) => `s${index}`),
    );
    await expect(house.notices.note(chest, ['one-more'])).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });
});

describe('what cannot be said yet', () => {
  it('an incomplete study is looked at again after its quiet period, less and less often, and not for ever', async () => {
    const house = open(async () => incomplete());
    await house.notices.start();
    hold(house, 's1');
    await house.notices.note(chest, ['s1']);
    const waits = [60, 60, 120, 240, 480, 960, 1_920, 1_920, 1_920, 1_920, 1_920, 1_920];
    for (const [index, seconds] of waits.entries()) {
      house.pass(seconds * 1_000);
      await until(() => house.asked.length, index + 1);
      await until(() => worked(house).length, index + 1);
    }
    house.pass(86_400_000);
    await until(() => house.studies.asked.length > 1, true);
    expect(house.asked).toHaveLength(12);
    hold(house, 's1', '2');
    await house.notices.note(chest, ['s1']);
    house.pass(60_000);
    await until(() => house.asked.length, 13);
  });

  it('a study whose images cannot be reached is tried again, and one that can never be predicted about is not', async () => {
    const away = new PredictionError('IMAGES_UNREACHABLE', 'The image server does not answer.');
    const never = new PredictionError('MODEL_UNKNOWN', 'There is no such model.');
    const failures = [away, away, never];
    const house = open(async () => {
      throw failures.shift() ?? new Error('asked once more');
    });
    await house.notices.start();
    hold(house, 's1');
    await house.notices.note(chest, ['s1']);
    for (const [index, ms] of [60_000, 5_000, 10_000].entries()) {
      house.pass(ms);
      await until(() => house.asked.length, index + 1);
    }
    await until(
      () => house.events.map(({ name }) => name).filter((name) => /postponed|given-up/.test(name)),
      ['study-notice.postponed', 'study-notice.postponed', 'study-notice.given-up'],
    );
    house.pass(3_600_000);
    await until(() => house.studies.asked.length > 1, true);
    expect(house.asked).toHaveLength(3);
  });
});

describe('a server that ends', () => {
  it('leaves what waits, and what is under way, to the next', async () => {
    const first = open(
      (request) =>
        new Promise((_, reject) => {
          request.signal?.addEventListener('abort', () => reject(new Error('closed')));
        }),
    );
    await first.notices.start();
    await until(() => first.studies.asked.length, 1);
    hold(first, 's1');
    await first.notices.note(chest, ['s1']);
    first.pass(60_000);
    await until(() => first.asked.length, 1);
    hold(first, 's2');
    await first.notices.note(chest, ['s2']);
    await first.notices.close();
    const next = open(undefined, first);
    await next.notices.start();
    await until(() => next.asked.map(({ focus }) => focus), ['ImagingStudy/s1']);
    next.pass(60_000);
    await until(() => next.asked.map(({ focus }) => focus), ['ImagingStudy/s1', 'ImagingStudy/s2']);
  });

  it('without a word leaves its lease, and what it began is begun again as of the same minute', async () => {
    const house = open();
    hold(house, 's1');
    house.pass(660_000);
    await house.notices.note(chest, ['s1']);
    house.pass(60_000);
    const scope = { tenant: 'test', fhirBase: house.base };
    const taken = await takeNotice(test.database, scope, house.now(), 30_000);
    expect(taken?.asOf).toEqual(new Date('2026-03-01T10:12:00Z'));
    house.pass(29_000);
    await house.notices.start();
    await until(() => house.studies.asked.length, 1);
    expect(house.asked).toEqual([]);
    house.pass(91_000);
    await until(() => house.asked.map(({ asOf }) => asOf), [new Date('2026-03-01T10:12:00Z')]);
  });
});

describe('asking for what has changed', () => {
  it('SUB-2 SUB-5: finds what nobody told of, from the last check on, and each version once', async () => {
    const house = open();
    await house.notices.start();
    await until(() => house.events.some(({ name }) => name === 'study-notice.checked'), true);
    hold(house, 'untold');
    await house.notices.noteSomething(chest);
    const checks = () => house.events.filter(({ name }) => name === 'study-notice.checked').length;
    await until(checks, 2);
    house.pass(60_000);
    await until(() => worked(house), ['scored']);
    house.pass(300_000);
    await house.notices.noteSomething(chest);
    await until(checks, 3);
    house.pass(900_000);
    await until(checks, 4);
    house.pass(60_000);
    expect(house.asked).toHaveLength(1);
    const [first, , third] = house.studies.asked;
    expect([first, third]).toEqual([new Date('2026-03-01T09:50:30Z'), new Date('2026-03-01T09:50:30Z')]);
  });

  it('SUB-5: goes on where a server that ended had stopped', async () => {
    const first = open();
    await first.notices.start();
    await until(() => first.events.some(({ name }) => name === 'study-notice.checked'), true);
    await first.notices.close();
    first.pass(86_400_000);
    const next = open(undefined, first);
    await next.notices.start();
    await until(() => next.studies.asked, [new Date('2026-03-01T09:50:30Z'), new Date('2026-03-01T09:50:30Z')]);
  });
});
