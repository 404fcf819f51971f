import { describe, expect, it } from 'vitest';
import { compileCron, cronProblem, dueInstants, isTimeZone } from '../../../src/runs/schedules/compile-cron.ts';

async function due(pattern: string, timeZone: string, from: string, to: string): Promise<string[]> {
  const instants: string[] = [];
  for await (const at of dueInstants(compileCron(pattern, timeZone), new Date(from), new Date(to)))
    instants.push(at.toISOString().slice(0, 16));
  return instants.reverse();
}

// Europe/Berlin: 2026-03-29 02:00 becomes 03:00 (01:00Z); 2026-10-25 03:00 becomes 02:00 (01:00Z).
// America/New_York: 2026-03-08 02:00 becomes 03:00 (07:00Z); 2026-11-01 02:00 becomes 01:00 (06:00Z).
describe('a schedule', () => {
  it.each([
    [
      'is due at the first instant after the gap where its time of day is skipped',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T00:00Z',
      '2026-03-30T12:00Z',
      ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'],
    ],
    [
      'does so in New York',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T05:00Z',
      '2026-03-09T12:00Z',
      ['2026-03-07T07:30', '2026-03-08T07:00', '2026-03-09T06:30'],
    ],
    [
      'is due once where its time of day is shown twice, the first time',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T00:00Z',
      '2026-10-26T12:00Z',
      ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'],
    ],
    [
      'does so in New York',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T00:00Z',
      '2026-11-02T12:00Z',
      ['2026-10-31T05:30', '2026-11-01T05:30', '2026-11-02T06:30'],
    ],
    [
      'is due once for all the minutes that a gap skips',
      '*/20 2 * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      '2026-03-29T12:00Z',
      ['2026-03-29T01:00'],
    ],
    [
      'is due once at the end of the gap where both the gap and that instant are meant',
      '0,30 2,3 * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      '2026-03-29T02:00Z',
      ['2026-03-29T01:00', '2026-03-29T01:30'],
    ],
    [
      'of every hour keeps real hours through a gap',
      '0 * * * *',
      'Europe/Berlin',
      '2026-03-28T22:30Z',
      '2026-03-29T03:00Z',
      ['2026-03-28T23:00', '2026-03-29T00:00', '2026-03-29T01:00', '2026-03-29T02:00', '2026-03-29T03:00'],
    ],
    [
      'of every hour keeps real hours where an hour repeats',
      '0 * * * *',
      'Europe/Berlin',
      '2026-10-24T23:30Z',
      '2026-10-25T03:00Z',
      ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00', '2026-10-25T03:00'],
    ],
    [
      'of every second hour is due after the gap that skips it',
      '30 */2 * * *',
      'Europe/Berlin',
      '2026-03-28T22:00Z',
      '2026-03-29T03:00Z',
      ['2026-03-28T23:30', '2026-03-29T01:00', '2026-03-29T02:30'],
    ],
    [
      'of every second hour is due once where that hour is shown twice',
      '0 */2 * * *',
      'Europe/Berlin',
      '2026-10-24T21:30Z',
      '2026-10-25T03:30Z',
      ['2026-10-24T22:00', '2026-10-25T00:00', '2026-10-25T03:00'],
    ],
    [
      'at a time that the change does not touch is due as ever',
      '0 8 * * *',
      'Europe/Berlin',
      '2026-03-28T00:00Z',
      '2026-03-30T12:00Z',
      ['2026-03-28T07:00', '2026-03-29T06:00', '2026-03-30T06:00'],
    ],
    [
      'follows days of the week of its zone, not of UTC',
      '30 23 * * 5',
      'America/New_York',
      '2026-11-12T00:00Z',
      '2026-11-22T00:00Z',
      ['2026-11-14T04:30', '2026-11-21T04:30'],
    ],
    [
      'in a zone whose gap is half an hour is due at its end',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T10:00Z',
      '2026-10-04T10:00Z',
      ['2026-10-03T15:30'],
    ],
    [
      'is due on the 29th of February in leap years only',
      '0 0 29 2 *',
      'UTC',
      '2027-02-20T00:00Z',
      '2028-03-02T00:00Z',
      ['2028-02-29T00:00'],
    ],
  ])(
    '%s (%s, %s)',
    async (_what, pattern, zone, from, to, expected) => {
      expect(await due(pattern, zone, from, to)).toEqual(expected);
    },
    30_000,
  );

  it('is due exactly once on every day of a year with two changes', async () => {
    for (const zone of ['Europe/Berlin', 'America/New_York']) {
      const instants = await due('30 2 * * *', zone, '2026-01-01T10:00Z', '2026-12-31T10:00Z');
      expect(instants).toHaveLength(364);
    }
  }, 60_000);
});

describe('cronProblem', () => {
  it.each([
    ['', '1 field'],
    ['* * * *', '4 fields'],
    ['* * * * * *', '6 fields'],
    ['@daily', '1 field'],
    ['61 * * * *', '61'],
    ['0 25 * * *', '25'],
    ['0 0 0 * *', '0'],
    ['0 0 31 2 *', 'impossible'],
    ['every day at two', '4 fields'],
    ['a b c d e', 'invalid'],
    ['0 2 * * someday', 'someday'],
  ])('refuses %j', (pattern, says) => {
    expect(cronProblem(pattern)).toContain(says);
  });

  it.each(['0 2 * * *', '*/15 * * * *', '0 2 * * MON-FRI', '0,30 1-5/2 1 jan *'])('takes %j', (pattern) => {
    expect(cronProblem(pattern)).toBeUndefined();
  });
});

describe('isTimeZone', () => {
  it('takes places and UTC, and neither offsets nor what does not exist', () => {
    expect(['Europe/Berlin', 'America/New_York', 'UTC'].map(isTimeZone)).toEqual([true, true, true]);
    expect(['+02:00', 'Mars/Olympus', '', 'CEST!'].map(isTimeZone)).toEqual([false, false, false, false]);
  });
});
