import { expect, test } from 'vitest';
import { reloadsUnderLoad } from '../support/reloads-under-load.ts';

/** RELOADS=50 is the full size. */
const reloads = Number(process.env.RELOADS ?? 6);

test('no call fails and none mixes versions while models are loaded, promoted, removed and refused', async () => {
  const found = await reloadsUnderLoad({
    rate: reloads > 6 ? 200 : 50,
    steadySeconds: 1,
    reloads,
    brokenEvery: 3,
    everyMs: 500,
  });
  expect(found.failed).toEqual([]);
  expect(found.mixed).toEqual([]);
  expect(found.reloads).toMatchObject({ good: reloads - Math.floor(reloads / 3), broken: Math.floor(reloads / 3) });
  expect(found.versions).toHaveLength(1 + found.reloads.good);
  expect(found.calls).toBeGreaterThan(100);
});
