import { expect, test } from 'vitest';
import { reloadsUnderLoad } from '../support/reloads-under-load.ts';

/** RELOADS=50 is the full size. */
const reloads = Number(process.env.RELOADS ?? 6);

test('no call fails and none mixes versions while models are loaded, promoted, removed and refused', async () => {
  const found = await reloadsUnderLoad({
    rate: reloads > 6 ? 200 : 50,
    steadySeconds: 1,
    reloads,
    brokenEvery: 2,
    everyMs: 500,
  });
  expect(found.failed).toEqual([]);
  expect(found.mixed).toEqual([]);
  const broken = Math.floor(reloads / 2);
  expect(found.reloads).toMatchObject({ good: reloads - broken, broken });
  expect(new Set(found.reloads.refusedFor)).toEqual(new Set(['checksum', 'graph', 'golden case']));
  expect(found.versions).toHaveLength(1 + found.reloads.good);
  expect(found.calls).toBeGreaterThan(100);
  // The bench has the narrow bounds: here other tests share the processors.
  expect(found.p99Ms.reloading).toBeLessThan(Math.max(2_000, 20 * found.p99Ms.steady));
  expect(found.rssMb.end).toBeLessThan(1.5 * found.rssMb.early);
});
