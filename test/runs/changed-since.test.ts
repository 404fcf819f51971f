import { describe, expect, it } from 'vitest';
import { changedSince, sincePattern } from '../../src/runs/changed-since.ts';

const iso = (since: string, at: string, timeZone = 'UTC', last?: string): string =>
  changedSince(since, {
    at: new Date(at),
    timeZone,
    ...(last === undefined ? {} : { last: new Date(last) }),
  }).toISOString();

describe('from when on studies of a run have changed', () => {
  it('counts back from the clock of the run, hours evenly and weeks as seven days', () => {
    expect(iso('P1D', '2026-11-28T01:30:00Z')).toBe('2026-11-27T01:30:00.000Z');
    expect(iso('P2W', '2026-11-28T01:30:00Z')).toBe('2026-11-14T01:30:00.000Z');
    expect(iso('PT12H', '2026-11-28T01:30:00Z')).toBe('2026-11-27T13:30:00.000Z');
  });

  it('counts days by the calendar of the time zone: one may have 23 or 25 hours', () => {
    expect(iso('P1D', '2026-03-29T10:00:00Z', 'Europe/Berlin')).toBe('2026-03-28T11:00:00.000Z');
    expect(iso('P1D', '2026-10-25T10:00:00Z', 'Europe/Berlin')).toBe('2026-10-24T09:00:00.000Z');
    expect(iso('PT24H', '2026-10-25T10:00:00Z', 'Europe/Berlin')).toBe('2026-10-24T10:00:00.000Z');
  });

  it('goes back behind the run before where that was made earlier: nothing falls between two runs', () => {
    const late = iso('P1D', '2026-11-28T01:30:00Z', 'UTC', '2026-11-24T01:30:00Z');
    expect(late).toBe('2026-11-24T01:20:00.000Z');
    expect(iso('P1D', '2026-11-28T01:30:00Z', 'UTC', '2026-11-27T01:30:00Z')).toBe('2026-11-27T01:20:00.000Z');
  });

  it('goes back as far as is asked for where the run before was made later than that', () => {
    expect(iso('P7D', '2026-11-28T01:30:00Z', 'UTC', '2026-11-27T01:30:00Z')).toBe('2026-11-21T01:30:00.000Z');
  });

  it.each(['P0D', 'P1M', 'P1Y', 'P1DT1H', 'PT0H', 'P', '1D', 'P-1D', 'P1.5D', 'yesterday', 'P1000D'])(
    'is never asked for by %s',
    (since) => expect(since).not.toMatch(new RegExp(sincePattern)),
  );
});
