import { describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/explanation/contribution.ts';
import { explainInTime } from '../../src/explanation/explain-in-time.ts';
import { createRunningTime } from '../../src/explanation/running-time.ts';

const explanation: Explanation = {
  contributions: [{ feature: 'age', outcome: 'ascvd-10y', difference: 0.01 }],
  bases: [{ outcome: 'ascvd-10y', scale: 'score', base: 0.1 }],
};

describe('how long the next explanation may take', () => {
  test('is not known before the first', () => {
    expect(createRunningTime().expectedMs()).toBeUndefined();
  });

  test('is above what they took, and the steadier they are the less', () => {
    const steady = createRunningTime();
    const unsteady = createRunningTime();
    for (let n = 0; n < 100; n++) {
      steady.took(10);
      unsteady.took(n % 2 === 0 ? 2 : 18);
    }
    expect(steady.expectedMs()).toBeGreaterThanOrEqual(10);
    expect(steady.expectedMs()).toBeLessThan(11);
    expect(unsteady.expectedMs()).toBeGreaterThan(18);
  });

  test('after one that took long it shrinks with each that is left out, until one is tried again', () => {
    const time = createRunningTime();
    time.took(10_000);
    let leftOut = 0;
    while ((time.expectedMs() ?? 0) > 100) {
      time.leftOut();
      leftOut += 1;
    }
    expect(leftOut).toBeLessThan(60);
  });
});

describe('an explanation in time', () => {
  const slow = () => {
    const time = createRunningTime();
    for (let n = 0; n < 10; n++) time.took(1_000);
    return time;
  };

  test('is given where it is wanted and nothing is due', async () => {
    expect(await explainInTime({}, slow(), async () => explanation)).toBe(explanation);
  });

  test('is not begun where it is not wanted', async () => {
    const work = () => Promise.reject(new Error('it was begun'));
    expect(await explainInTime({ explain: false }, slow(), work)).toEqual({ none: 'not asked for' });
  });

  test('is not begun where the answer is due before it would be there', async () => {
    const work = () => Promise.reject(new Error('it was begun'));
    const answerBy = performance.now() + 500;
    expect(await explainInTime({ answerBy }, slow(), work)).toEqual({ none: expect.stringMatching(/too late/) });
  });

  test('is given where there is time enough, and its own time is measured', async () => {
    const time = createRunningTime();
    const answerBy = performance.now() + 5_000;
    expect(await explainInTime({ answerBy }, time, async () => explanation)).toBe(explanation);
    expect(time.expectedMs()).toBeLessThan(5_000);
  });

  test('runs the model no more once the answer went out without it', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<AbortSignal | undefined>();
    const work = (due?: AbortSignal): Promise<Explanation> => {
      ask(due);
      return new Promise((_, reject) => due?.addEventListener('abort', () => reject(due.reason)));
    };
    const answer = await explainInTime({ answerBy: performance.now() + 5 }, createRunningTime(), work);
    expect(answer).toEqual({ none: expect.stringMatching(/too late/) });
    expect((await asked)?.reason).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  test('is told to end when the answer is due, and its time counts for the next', async () => {
    const time = createRunningTime();
    const { promise, resolve } = Promise.withResolvers<Explanation>();
    const answer = await explainInTime({ answerBy: performance.now() + 5 }, time, () => promise);
    expect(answer).toEqual({ none: expect.stringMatching(/too late/) });
    expect(time.expectedMs()).toBeUndefined();
    resolve(explanation);
    await promise;
    await Promise.resolve();
    expect(time.expectedMs()).toBeGreaterThanOrEqual(5);
  });
});
