import { expect, test } from 'vitest';
import type { ApartSession } from '../../src/inference/sessions/apart-host.ts';
import { lastingSession } from '../../src/inference/sessions/lasting-session.ts';
import { PredictionError } from '../../src/platform/errors.ts';

const gone = (): PredictionError => new PredictionError('ENGINE_UNAVAILABLE', 'It is gone.');

/** What ran a model and is gone, or answers nothing with nothing. */
function session(run: ApartSession['run']): ApartSession {
  return { inputs: [], outputs: [], otherOutputs: [], run, release: async () => undefined, abandon: () => undefined };
}

const answers = session(async () => new Map());
const lost = session(() => Promise.reject(gone()));

function lasting(first: ApartSession, opens: (() => Promise<ApartSession>)[]) {
  const losses: string[] = [];
  const open = (): Promise<ApartSession> => opens.shift()?.() ?? Promise.reject(new Error('was opened once too often'));
  const made = lastingSession(first, {
    key: 'test@1.0.0',
    open,
    stuckAfterMs: 60_000,
    lost: (reason) => losses.push(reason),
  });
  return { run: () => made.run(new Map(), []), losses };
}

test('what cannot be opened again is away, which passes: the run is not blamed for it', async () => {
  const never = () => Promise.reject(gone());
  const { run, losses } = lasting(lost, [never, never]);
  await expect(run()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  expect(losses).toHaveLength(2);
});

test('an opening that fails is tried once more, and told', async () => {
  const { run, losses } = lasting(lost, [() => Promise.reject(gone()), async () => answers]);
  expect(await run()).toEqual(new Map());
  expect(losses).toHaveLength(2);
});

test('what is lost twice in one run is blamed on the run, and the next one is answered', async () => {
  const { run } = lasting(lost, [async () => lost, async () => answers]);
  await expect(run()).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
    message: expect.stringContaining('lost twice'),
  });
  expect(await run()).toEqual(new Map());
});
