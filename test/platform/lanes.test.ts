import { describe, expect, test } from 'vitest';
import type { Lane } from '../../src/platform/lane-queue.ts';
import { createLanes } from '../../src/platform/lanes.ts';

/** Enters in the order given while the only place is taken, and says in which order they had their turn. */
async function turnsOf(waiting: readonly (readonly [Lane, string])[]): Promise<string[]> {
  const lanes = createLanes(1);
  const leaveFirst = await lanes.enter('front');
  const turns: string[] = [];
  const all = waiting.map(async ([lane, name]) => {
    const leave = await lanes.enter(lane);
    turns.push(name);
    leave();
  });
  leaveFirst();
  await Promise.all(all);
  return turns;
}

describe('lanes', () => {
  test('whoever is at the front goes before those at the back, each lane in the order of coming', async () => {
    const turns = await turnsOf([
      ['back', 'run 1'],
      ['front', 'bedside 1'],
      ['back', 'run 2'],
      ['front', 'bedside 2'],
    ]);
    expect(turns).toEqual(['bedside 1', 'bedside 2', 'run 1', 'run 2']);
  });

  test('the back is let in now and then, so that nobody waits for ever', async () => {
    const bedside = Array.from({ length: 40 }, (_, index) => ['front', `bedside ${index}`] as const);
    const turns = await turnsOf([['back', 'run 1'], ['back', 'run 2'], ...bedside]);
    expect([turns.indexOf('run 1'), turns.indexOf('run 2')]).toEqual([16, 33]);
  });

  test('as many are in as there are places, whatever their lane', async () => {
    const lanes = createLanes(2);
    const leaves = await Promise.all([lanes.enter('back'), lanes.enter('front')]);
    let third = false;
    const waiting = lanes.enter('front').then(() => {
      third = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(third).toBe(false);
    leaves[0]?.();
    await waiting;
    expect(third).toBe(true);
  });
});
