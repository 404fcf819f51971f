import { describe, expect, test } from 'vitest';
import { createRequestPlaces, type RequestPlaces } from '../../src/http/request-places.ts';

const most = 128;

interface Simulated {
  readonly places: RequestPlaces;
  /** Each turn of 100 ms as many end as are given, and others take all places that are free. */
  turns(count: number, ending: number, urgent?: boolean): void;
  behind(delayMs: number): void;
  pass(ms: number): void;
}

/** Places beside a clock and an event loop that a test sets. */
function simulated(): Simulated {
  let [nowMs, delayMs] = [0, 0];
  const places = createRequestPlaces(most, { now: () => nowMs, delayMs: () => delayMs });
  return {
    places,
    turns(count, ending, urgent = false) {
      for (let turn = 0; turn < count; turn++) {
        nowMs += 100;
        for (let ended = 0; ended < ending && places.count() > 0; ended++) places.leave(urgent);
        fill(places, urgent);
      }
    },
    behind: (ms) => {
      delayMs = ms;
    },
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

/** Takes places until there is none; how many there were. */
function fill(places: RequestPlaces, urgent = false): number {
  let taken = 0;
  while (places.take(urgent)) taken += 1;
  return taken;
}

describe('places of requests', () => {
  test('are as many as the site allows for each kind while the event loop keeps up, however long requests take', () => {
    const { places, turns } = simulated();
    expect(fill(places)).toBe(most);
    turns(50, 1);
    expect(places.count()).toBe(most);
    expect(fill(places, true)).toBe(most);
  });

  test('are no fewer at first, when nothing is known of how fast it is', () => {
    const { places, behind } = simulated();
    behind(50);
    expect(fill(places)).toBe(most);
  });

  test('are as many as are answered within ten seconds while it is behind and nobody waits at a bedside', () => {
    const { places, turns, behind } = simulated();
    fill(places);
    behind(50);
    turns(100, 1);
    // 10 a second.
    expect(places.count()).toBe(100);
  });

  test('are as many as are answered within 100 ms as long as calls come from bedsides', () => {
    const { places, turns, behind, pass } = simulated();
    fill(places);
    places.take(true);
    places.leave(true);
    behind(50);
    turns(100, 40);
    // 400 a second.
    expect(places.count()).toBe(40);
    pass(30_000);
    turns(100, 40);
    expect(places.count()).toBe(most);
  });

  test('are given to bedsides first: others have what those leave', () => {
    const { places, turns, behind } = simulated();
    fill(places, true);
    behind(50);
    turns(100, 40, true);
    expect(places.count()).toBe(40);
    expect(places.take(false)).toBe(false);
    places.leave(true);
    expect(places.take(false)).toBe(true);
    expect(places.take(true)).toBe(true);
  });

  test('are all there again after a while in which nobody came', () => {
    const { places, turns, behind, pass } = simulated();
    fill(places, true);
    behind(50);
    turns(100, 1, true);
    while (places.count() > 0) places.leave(true);
    behind(0);
    pass(3_600_000);
    expect(fill(places, true)).toBe(most);
  });

  test('are counted from what is answered while it is behind, not from how little was asked for before', () => {
    const { places, turns, behind } = simulated();
    for (let minute = 0; minute < 600; minute++) {
      turns(1, most, true);
      while (places.count() > 0) places.leave(true);
    }
    behind(50);
    turns(1, 0, true);
    expect(places.count()).toBeGreaterThan(50);
  });

  test('never fall so low that a slow start keeps everybody out, and grow again little by little', () => {
    const { places, turns, behind } = simulated();
    fill(places, true);
    behind(50);
    turns(100, 1, true);
    while (places.count() > 0) places.leave(true);
    expect(fill(places, true)).toBe(32);
    behind(0);
    turns(1, 0, true);
    expect(places.count()).toBe(40);
    turns(20, 0, true);
    expect(places.count()).toBe(most);
  });
});
