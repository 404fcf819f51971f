import { expect, it } from 'vitest';
import { predictJobText, predictWork } from '../../../src/entrances/fhir-operation/predict-job.ts';
import { predictionRequest } from '../../support/prediction-outcome.ts';

const askedAt = new Date('2026-03-01T10:05:30Z');

/** The as-of that a server with this clock predicts for, by what is kept of a call that named `asOf`, or none. */
async function workedAsOf(now: string, asOf?: string): Promise<string | undefined> {
  const { asOf: _usual, ...request } = predictionRequest();
  const asked = asOf === undefined ? request : { ...request, asOf: new Date(asOf) };
  let seen: Date | undefined;
  const work = predictWork(
    async ({ asOf: given }) => {
      seen = given;
      throw new Error('seen');
    },
    { timeoutMs: 1_000, storeBase: 'http://127.0.0.1/fhir/R4', now: () => new Date(now) },
  );
  const text = predictJobText({ request: asked, preferred: 'representation' }, askedAt);
  await expect(work.answer(text, new AbortController().signal)).rejects.toThrow('seen');
  return seen?.toISOString();
}

it('a call that named no as-of is worked on as of its minute, also by a server whose clock is behind', async () => {
  expect(await workedAsOf('2026-03-01T10:09:10Z')).toBe('2026-03-01T10:05:00.000Z');
  expect(await workedAsOf('2026-03-01T10:04:59Z')).toBe('2026-03-01T10:04:00.000Z');
});

it('an as-of that the call named stays as it is: it is refused where it lies in the future', async () => {
  expect(await workedAsOf('2026-03-01T10:04:59Z', '2026-03-01T10:05:00Z')).toBe('2026-03-01T10:05:00.000Z');
});
