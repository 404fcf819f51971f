import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../../src/platform/events.ts';
import type { Schedule } from '../../../src/runs/schedules/schedule.ts';
import { createScheduleTicker } from '../../../src/runs/schedules/schedule-ticker.ts';
import { type StartedFhirsight, startFhirsight } from '../../support/start-fhirsight.ts';
import { openTestRuns, otherBase } from '../../support/test-runs.ts';

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight();
});
afterAll(() => server.close());
beforeEach(async () => {
  for (const table of ['run_schedule_firings', 'run_schedule_looks', 'runs'])
    await server.house.database.query(`delete from ${table}`);
});

function nightly(changes: Partial<Schedule> = {}): Schedule {
  const usual = { name: 'nightly', cron: '30 2 * * *', timeZone: 'Europe/Berlin', model: 'prevent-base' };
  return { ...usual, cohort: { all: true }, missed: 'skip', ...changes };
}

/** One replica with a clock of its own. */
function replica(schedules: readonly Schedule[], startsAt: string, fhirBase = otherBase) {
  let now = new Date(startsAt);
  const clock = { now: () => now };
  const events: LogEvent[] = [];
  const event = (one: LogEvent): void => void events.push(one);
  const { database } = server.house;
  const runs = openTestRuns(server.house, { clock, event, fhirBase });
  const ticker = createScheduleTicker({
    schedules,
    database,
    tenant: server.house.prediction.tenant,
    fhirBase,
    clock,
    runs,
    every: () => () => undefined,
    event,
  });
  return {
    events,
    ticker,
    at: async (instant: string | Date) => {
      now = new Date(instant);
      await ticker.look();
    },
    close: async () => {
      await ticker.close();
      await runs.close();
    },
  };
}

async function firings(): Promise<string[]> {
  const { rows } = await server.house.database.query<{ due_at: Date; run: string | null }>(
    'select due_at, run from run_schedule_firings order by due_at',
  );
  expect(rows.every(({ run }) => run !== null)).toBe(true);
  const { rows: made } = await server.house.database.query<{ n: string }>('select count(*) as n from runs');
  expect(Number(made[0]?.n)).toBe(rows.length);
  return rows.map(({ due_at }) => due_at.toISOString().slice(0, 16));
}

/** Two replicas whose clocks go on in steps, not quite together. */
async function stepThrough(schedules: readonly Schedule[], from: string, to: string, stepMs: number): Promise<void> {
  const one = replica(schedules, from);
  const other = replica(schedules, from);
  await one.ticker.start();
  await other.ticker.start();
  for (let atMs = Date.parse(from) + stepMs; atMs <= Date.parse(to); atMs += stepMs) {
    await Promise.all([one.at(new Date(atMs)), other.at(new Date(atMs - 7_000))]);
  }
  await one.close();
  await other.close();
}

describe('a schedule with two replicas', () => {
  it.each([
    ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T04:00:00Z', ['2026-03-29T01:00']],
    ['Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T04:00:00Z', ['2026-10-25T00:30']],
    ['America/New_York', '2026-03-08T04:00:00Z', '2026-03-08T10:00:00Z', ['2026-03-08T07:00']],
    ['America/New_York', '2026-11-01T03:00:00Z', '2026-11-01T09:00:00Z', ['2026-11-01T07:30']],
  ])('fires once across a daylight-saving change of %s (%s)', async (timeZone, from, to, expected) => {
    await stepThrough([nightly({ timeZone })], from, to, 5 * 60_000);
    expect(await firings()).toEqual(expected);
  });

  it('fires once where the clock of New York shows 01:30 twice', async () => {
    const schedule = nightly({ timeZone: 'America/New_York', cron: '30 1 * * *' });
    await stepThrough([schedule], '2026-11-01T03:00:00Z', '2026-11-01T09:00:00Z', 5 * 60_000);
    expect(await firings()).toEqual(['2026-11-01T05:30']);
  });

  it('fires every real hour, each once', async () => {
    await stepThrough([nightly({ cron: '0 * * * *' })], '2026-10-24T23:30:00Z', '2026-10-25T02:30:00Z', 5 * 60_000);
    expect(await firings()).toEqual(['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00']);
  });
});

describe('a time at which no server ran', () => {
  const stopped = async (schedule: Schedule): Promise<void> => {
    const before = replica([schedule], '2026-11-20T20:00:00Z');
    await before.ticker.start();
    await before.close();
  };

  it('is skipped where the schedule says skip', async () => {
    await stopped(nightly());
    const after = replica([nightly()], '2026-11-22T12:00:00Z');
    await after.ticker.start();
    expect(await firings()).toEqual([]);
    expect(after.events).toContainEqual(expect.objectContaining({ name: 'schedule.missed', handled: 'skip' }));
    await after.at('2026-11-22T12:10:00Z');
    expect(await firings()).toEqual([]);
    await after.close();
  });

  it('is made up for once, for the latest, where it says once', async () => {
    const schedule = nightly({ missed: 'once' });
    await stopped(schedule);
    const [one, other] = [replica([schedule], '2026-11-22T12:00:00Z'), replica([schedule], '2026-11-22T12:00:01Z')];
    await Promise.all([one.ticker.start(), other.ticker.start()]);
    expect(await firings()).toEqual(['2026-11-22T01:30']);
    await one.at('2026-11-22T12:01:00Z');
    expect(await firings()).toEqual(['2026-11-22T01:30']);
    await one.close();
    await other.close();
  });

  it('is none before the first start', async () => {
    const first = replica([nightly({ missed: 'once' })], '2026-11-22T12:00:00Z');
    await first.ticker.start();
    expect(await firings()).toEqual([]);
    await first.close();
  });

  it('counts as missed where the process slept through it', async () => {
    const sleeper = replica([nightly({ cron: '*/5 * * * *' })], '2026-11-22T01:00:00Z');
    await sleeper.ticker.start();
    await sleeper.at('2026-11-22T09:00:00Z');
    expect(await firings()).toEqual(['2026-11-22T08:55', '2026-11-22T09:00']);
    await sleeper.close();
  });
});

describe('a clock that is put back', () => {
  it('fires nothing again', async () => {
    const one = replica([nightly()], '2026-11-22T01:00:00Z');
    await one.ticker.start();
    await one.at('2026-11-22T01:31:00Z');
    await one.at('2026-11-22T01:20:00Z');
    await one.at('2026-11-22T01:32:00Z');
    expect(await firings()).toEqual(['2026-11-22T01:30']);
    await one.close();
  });
});

describe('a clock that was wrong once', () => {
  const wrong = async (schedule: Schedule): Promise<void> => {
    const once = replica([schedule], '2036-01-01T00:00:00Z');
    await once.ticker.start();
    await once.close();
  };

  it('does not silence a schedule until that time comes, and is told of', async () => {
    await wrong(nightly());
    const next = replica([nightly()], '2026-11-20T12:00:00Z');
    await next.ticker.start();
    expect(next.events).toContainEqual(expect.objectContaining({ name: 'schedule.look-ahead', schedule: 'nightly' }));
    await next.at('2026-11-21T01:30:05Z');
    await next.at('2026-11-22T01:30:05Z');
    expect((await firings()).at(-1)).toBe('2026-11-22T01:30');
    expect(next.events.filter(({ name }) => name === 'schedule.look-ahead')).toHaveLength(1);
    await next.close();
    const later = replica([nightly()], '2026-11-22T12:00:00Z');
    await later.ticker.start();
    expect(later.events).toEqual([]);
    await later.close();
  });

  it('while the server runs, silences nothing once it is put right', async () => {
    const one = replica([nightly()], '2036-01-01T00:00:00Z');
    await one.ticker.start();
    await one.at('2026-11-22T01:29:00Z');
    await one.at('2026-11-22T01:31:00Z');
    expect(await firings()).toEqual(['2026-11-22T01:30']);
    await one.close();
  });
});

describe('servers with different record sources on one database', () => {
  it('each make their own run, and neither takes the firing of the other', async () => {
    const bases = ['http://north.example.org/fhir', 'http://south.example.org/fhir'];
    for (const base of bases) {
      const one = replica([nightly()], '2026-11-22T01:00:00Z', base);
      await one.ticker.start();
      await one.at('2026-11-22T01:31:00Z');
      await one.close();
    }
    expect(await firings()).toEqual(['2026-11-22T01:30', '2026-11-22T01:30']);
    const { rows } = await server.house.database.query<{ fhir_base: string }>('select fhir_base from runs');
    expect(rows.map(({ fhir_base }) => fhir_base).sort()).toEqual(bases);
  });
});

describe('a schedule that cannot be fired', () => {
  it('is logged, and does not keep the others from firing', async () => {
    const bad = nightly({ name: 'bad', model: 'gone' });
    const one = replica([bad, nightly()], '2026-11-22T01:00:00Z');
    await one.ticker.start();
    await one.at('2026-11-22T01:31:00Z');
    expect(await firings()).toEqual(['2026-11-22T01:30']);
    expect(one.events).toContainEqual(expect.objectContaining({ name: 'schedule.failed', schedule: 'bad' }));
    await one.close();
  });
});
