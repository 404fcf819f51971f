import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImageFault } from '../../src/imaging/image-fault.ts';
import { createImageMemory, type MemoryShare } from '../../src/imaging/image-memory.ts';
import { PredictionError } from '../../src/platform/errors.ts';

const budget = 100;

/** One reading: how much it takes, how much of that is its tensor, how many turns it works, and in which turn somebody gives it up. */
const reading = fc.record({
  lane: fc.constantFrom('front' as const, 'back' as const),
  bytes: fc.integer({ min: 0, max: budget }),
  kept: fc.nat(budget),
  turns: fc.nat(4),
  fails: fc.boolean(),
  givenUpAfter: fc.option(fc.nat(12), { nil: undefined }),
});

describe('the memory of images', () => {
  it('TM-4: is never exceeded, whatever is read in whatever order, and everybody who waits comes, those of a lane in the order of asking', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(reading, { minLength: 1, maxLength: 20 }), async (readings) => {
        const memory = createImageMemory(budget);
        const held = new Map<number, number>();
        const came = { front: [] as number[], back: [] as number[] };
        const most = (): number => [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
        const one = async (
          at: number,
          { lane, bytes, kept, turns, fails, givenUpAfter }: (typeof readings)[number],
        ) => {
          const stop = new AbortController();
          if (givenUpAfter !== undefined) void waits(givenUpAfter).then(() => stop.abort());
          let share: MemoryShare | undefined;
          try {
            share = await memory.take(bytes, { signal: stop.signal, lane });
            came[lane].push(at);
            held.set(at, bytes);
            expect(most()).toBeLessThanOrEqual(budget);
            await waits(turns);
            if (fails) throw new Error('the image server broke off');
            share.keep(kept);
            held.set(at, Math.min(bytes, kept));
            await waits(turns);
          } finally {
            held.delete(at);
            share?.keep(0);
          }
        };
        const ended = await Promise.allSettled(readings.map((each, at) => one(at, each)));
        for (const [at, { fails, givenUpAfter }] of readings.entries())
          if (!fails && givenUpAfter === undefined) expect(ended[at]?.status).toBe('fulfilled');
        for (const inLane of [came.front, came.back])
          expect(inLane).toEqual([...inLane].sort((left, right) => left - right));
        expect(memory.free).toBe(budget);
      }),
      { numRuns: 100 },
    );
  });

  it('is not had out of turn: a small one waits behind a large one that asked before it', async () => {
    const memory = createImageMemory(budget);
    const first = await memory.take(60);
    const order: string[] = [];
    const large = memory.take(80).then((share) => {
      order.push('large');
      return share;
    });
    const small = memory.take(10).then((share) => {
      order.push('small');
      return share;
    });
    await turn();
    expect([order, memory.free]).toEqual([[], 40]);
    first.keep(0);
    await Promise.all([large, small]);
    expect([order, memory.free]).toEqual([['large', 'small'], 10]);
  });

  /** Who comes in which order, each for a moment, when all of it was taken as they asked. */
  async function orderOf(asked: readonly (readonly [lane: 'front' | 'back', bytes: number])[]): Promise<string[]> {
    const memory = createImageMemory(budget);
    const before = await memory.take(budget);
    const order: string[] = [];
    const all = asked.map(async ([lane, bytes], at) => {
      const share = await memory.take(bytes, { lane });
      order.push(`${lane} ${at}`);
      await turn();
      share.keep(0);
    });
    before.keep(0);
    await Promise.all(all);
    return order;
  }

  it('is had by those at a bedside before a run that asked earlier, be it large', async () => {
    expect(
      await orderOf([
        ['back', 60],
        ['back', 100],
        ['front', 60],
        ['front', 60],
      ]),
    ).toEqual(['front 2', 'front 3', 'back 0', 'back 1']);
  });

  it('is had by the largest of a run too, however many of a bedside ask after it', async () => {
    const bedside = Array.from({ length: 40 }, () => ['front', 51] as const);
    const order = await orderOf([['back', 100], ...bedside]);
    expect(order.indexOf('back 0')).toBe(16);
  });

  it('is given to those behind when a large one that waits is given up', async () => {
    const memory = createImageMemory(budget);
    await memory.take(60);
    const stop = new AbortController();
    const large = memory.take(80, { signal: stop.signal });
    const small = memory.take(40);
    stop.abort();
    await expect(large).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await small;
    expect(memory.free).toBe(0);
  });

  it('is refused with the reason of the signal, at once where that is aborted already', async () => {
    const memory = createImageMemory(budget);
    const reason = new PredictionError('SHUTTING_DOWN', 'The server stops.');
    await expect(memory.take(1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(memory.free).toBe(budget);
  });

  it('is not waited for without end where nobody says when to stop', async () => {
    const memory = createImageMemory(budget, { longestWaitMs: 1 });
    await memory.take(budget);
    await expect(memory.take(1)).rejects.toMatchObject({ code: 'OVERLOADED', retryAfterSeconds: 5 });
  });

  it('is never had by what needs more than there is, and both figures are said', async () => {
    const taken = createImageMemory(4_000_000_000).take(4_000_000_001);
    await expect(taken).rejects.toThrow(ImageFault);
    await expect(taken).rejects.toMatchObject({
      because: 'image-too-large',
      message: expect.stringMatching(/need 4001 MB of memory; .* have 4000 MB \(limits\.memoryMb/),
    });
  });
});

async function waits(turns: number): Promise<void> {
  for (let done = 0; done < turns; done++) await turn();
}
