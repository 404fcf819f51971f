import { expect, test } from 'vitest';
import { runOptions } from '../../src/prediction/run-options.ts';

test('a run ends when the caller has gone, and when nobody waits for it alone', () => {
  for (const ends of ['givenUp', 'over'] as const) {
    const stops = { givenUp: new AbortController(), over: new AbortController() };
    const { signal } = runOptions({ givenUp: stops.givenUp.signal }, stops.over.signal);
    expect(signal?.aborted).toBe(false);
    stops[ends].abort();
    expect(signal?.aborted).toBe(true);
  }
});

test('an explanation that ends leaves the other runs of the request alone', () => {
  const over = new AbortController();
  const request = { givenUp: new AbortController().signal };
  expect(runOptions(request, over.signal).signal).not.toBe(runOptions(request).signal);
  over.abort();
  expect(runOptions(request).signal?.aborted).toBe(false);
});
