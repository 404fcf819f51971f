import { describe, expect, it } from 'vitest';
import { createGroupWriter } from '../../src/platform/group-writer.ts';

const doubled = async (items: readonly number[]) => items.map((item) => ({ receipt: item * 2 }));

/** Keeps the size of each group; the first flush goes on until it is released. */
function heldWriter(options: { readonly maxItems: number }) {
  const groups: number[] = [];
  let release = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    release = resolve;
  });
  const writer = createGroupWriter<number, number>(async (items) => {
    groups.push(items.length);
    if (groups.length === 1) await first;
    return doubled(items);
  }, options);
  return { writer, groups, release: () => release() };
}

const flushBegun = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a group writer', () => {
  it('joins what is asked in one turn into one group and answers each with its own receipt', async () => {
    const groups: number[] = [];
    const writer = createGroupWriter<number, number>(
      async (items) => {
        groups.push(items.length);
        return doubled(items);
      },
      { maxItems: 10 },
    );
    expect(await Promise.all([1, 2, 3].map((item) => writer.write(item)))).toEqual([2, 4, 6]);
    expect(groups).toEqual([3]);
  });

  it('takes all that came during a flush into the next one, and no more than its limit', async () => {
    const { writer, groups, release } = heldWriter({ maxItems: 2 });
    const alone = writer.write(1);
    await flushBegun();
    const late = Promise.all([2, 3, 4].map((item) => writer.write(item)));
    release();
    expect(await alone).toBe(2);
    expect(await late).toEqual([4, 6, 8]);
    expect(groups).toEqual([1, 2, 1]);
  });

  it('lets what comes after a flush join those who came during it', async () => {
    const { writer, groups, release } = heldWriter({ maxItems: 10 });
    const alone = writer.write(1);
    await flushBegun();
    const during = writer.write(2);
    release();
    await alone;
    expect(await Promise.all([during, writer.write(3)])).toEqual([4, 6]);
    expect(groups).toEqual([1, 2]);
  });

  it('that gathers goes on while every turn of the event loop brings somebody', async () => {
    const sizes = async (gathers: boolean): Promise<number[]> => {
      const groups: number[] = [];
      const writer = createGroupWriter<number, number>(
        async (items) => {
          groups.push(items.length);
          return doubled(items);
        },
        { maxItems: 3, gathers },
      );
      const answers: Promise<number>[] = [];
      for (const item of [1, 2, 3, 4]) {
        answers.push(writer.write(item));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await Promise.all(answers)).toEqual([2, 4, 6, 8]);
      return groups;
    };
    expect(await sizes(true)).toEqual([3, 1]);
    expect((await sizes(false)).length).toBeGreaterThan(2);
  });

  it('fails the one item whose receipt is an error, and all of a group that could not be kept', async () => {
    const one = createGroupWriter<number, number>(
      async (items) => items.map((item) => (item === 2 ? { error: new Error('refused') } : { receipt: item })),
      { maxItems: 10 },
    );
    const settled = await Promise.allSettled([1, 2, 3].map((item) => one.write(item)));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const none = createGroupWriter<number, number>(() => Promise.reject(new Error('disk full')), {
      maxItems: 10,
    });
    const failed = await Promise.allSettled([1, 2].map((item) => none.write(item)));
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('keeps everything taken before it closes and refuses what comes later', async () => {
    const kept: number[] = [];
    const writer = createGroupWriter<number, number>(
      async (items) => {
        kept.push(...items);
        return doubled(items);
      },
      { maxItems: 1 },
    );
    const taken = [writer.write(1), writer.write(2)];
    await writer.close();
    expect(kept).toEqual([1, 2]);
    await Promise.all(taken);
    await expect(writer.write(3)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});
