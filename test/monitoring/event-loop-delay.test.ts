import { expect, test } from 'vitest';
import { watchEventLoop } from '../../src/monitoring/event-loop-delay.ts';

function block(ms: number): void {
  const started = performance.now();
  while (performance.now() - started < ms);
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test('the mean delay tells an event loop that is held up from one that is not, and is counted anew each time', async () => {
  const loop = watchEventLoop();
  while (loop.takeMeanMs() === Number.POSITIVE_INFINITY) await turn();
  for (let times = 0; times < 3; times++) {
    block(100);
    await turn();
  }
  expect(loop.takeMeanMs()).toBeGreaterThan(50);
  expect(loop.takeMeanMs()).toBe(Number.POSITIVE_INFINITY);
  loop.close();
});
