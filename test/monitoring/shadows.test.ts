import { expect, test } from 'vitest';
import { createShadows, type ShadowLimits, type ShadowsOptions } from '../../src/monitoring/shadows.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import type { PredictionRequest } from '../../src/prediction/prediction-request.ts';
import { scoredOutcome } from '../support/prediction-outcome.ts';

const limits: ShadowLimits = { atOnce: 1, waiting: 2, busyFrom: 3, reportEveryMs: 1 };

function request(changes: Partial<PredictionRequest> = {}): PredictionRequest {
  return {
    requestId: 'r-1',
    entrance: 'fhir-operation',
    caller: { user: 'Practitioner/1', card: 'c-1' },
    model: 'prevent-base',
    subject: 'one',
    seed: [],
    inputs: [],
    writeBack: true,
    ...changes,
  };
}

/** Shadows whose predictions a test ends by hand. */
function open(changes: Partial<ShadowsOptions> = {}) {
  const asked: PredictionRequest[] = [];
  const ends: (() => void)[] = [];
  const events: LogEvent[] = [];
  const compared: unknown[] = [];
  const shadows = createShadows({
    shadowsOf: () => ['1.1.0'],
    predict: (each) => {
      asked.push(each);
      return new Promise((resolve) => ends.push(() => resolve(scoredOutcome())));
    },
    waitedFor: () => 0,
    onShadow: (...pair) => compared.push(pair),
    timeoutMs: 1_000,
    event: (event) => events.push(event),
    limits,
    ...changes,
  });
  return { shadows, asked, ends, events, compared };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const dropped = (events: readonly LogEvent[]): number =>
  events.reduce((sum, event) => (event.name === 'shadow.dropped' ? sum + event.dropped : sum), 0);

test('a shadow is asked the same after the answer, for nobody to see: no write-back, no card, no contributions', async () => {
  const { shadows, asked, ends, compared } = open();
  const shown = scoredOutcome();
  shadows.follow(request(), shown);
  expect(asked).toEqual([]);
  await turn();
  expect(asked).toMatchObject([
    {
      version: '1.1.0',
      asOf: shown.asOf,
      writeBack: false,
      build: false,
      explain: false,
      shadow: true,
      subject: 'one',
    },
  ]);
  expect(asked[0]?.caller).toEqual({ user: 'Practitioner/1' });
  ends[0]?.();
  await shadows.close();
  expect(compared).toHaveLength(1);
});

test.each([
  ['a member of a run', request({ entrance: 'cohort' })],
  ['a shadow itself', request({ shadow: true })],
])('%s has none', async (_, each) => {
  const { shadows, asked } = open();
  shadows.follow(each, scoredOutcome());
  await turn();
  expect(asked).toEqual([]);
});

test('what comes while as many wait as may is dropped, and the log says how much', async () => {
  const { shadows, asked, ends, events } = open();
  for (let call = 0; call < 5; call++) shadows.follow(request(), scoredOutcome());
  await turn();
  expect(asked).toHaveLength(1);
  ends[0]?.();
  await expect.poll(() => asked.length).toBe(2);
  ends[1]?.();
  await expect.poll(() => dropped(events)).toBe(3);
  await shadows.close();
});

test('while somebody waits for many predictions none is begun, and those that waited are dropped', async () => {
  let busy = 0;
  const { shadows, asked, ends, events } = open({ waitedFor: () => busy });
  shadows.follow(request(), scoredOutcome());
  shadows.follow(request(), scoredOutcome());
  await turn();
  busy = 3;
  shadows.follow(request(), scoredOutcome());
  ends[0]?.();
  await expect.poll(() => dropped(events)).toBe(2);
  expect(asked).toHaveLength(1);
  await shadows.close();
});

test('one that fails reaches nobody', async () => {
  const { shadows, events } = open({
    predict: () => Promise.reject(new PredictionError('INFERENCE_FAILED', 'It broke.')),
  });
  shadows.follow(request(), scoredOutcome());
  await turn();
  await shadows.close();
  expect(events).toEqual([]);
});
