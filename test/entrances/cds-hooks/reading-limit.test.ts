import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readingLimit } from '../../../src/entrances/cds-hooks/reading-limit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the token of a call', () => {
  test('that has expired is used for nothing', () => {
    const { signal } = readingLimit({ startedMs: performance.now(), timeoutMs: 1_000, tokenMs: 0 });
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'RECORD_UNREACHABLE', message: expect.stringContaining('expired') });
  });

  test('is used until it expires, counted from the start of the call, also below every deadline', () => {
    const startedMs = performance.now();
    vi.advanceTimersByTime(20);
    const { signal } = readingLimit({ startedMs, timeoutMs: 30_000, tokenMs: 100 });
    vi.advanceTimersByTime(79);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(2);
    expect(signal.aborted).toBe(true);
  });
});

test('without a token the time of a prediction is the limit, and a prediction that has ended leaves no timer', () => {
  const first = readingLimit({ startedMs: performance.now(), timeoutMs: 100 });
  const second = readingLimit({ startedMs: performance.now(), timeoutMs: 100, tokenMs: 200 });
  second.clear();
  vi.advanceTimersByTime(101);
  expect(first.signal.reason).toMatchObject({ message: expect.stringContaining('within 100 ms') });
  expect(second.signal.aborted).toBe(false);
});
