import { describe, expect, test } from 'vitest';
import { choosePlace } from '../../src/inference/choose-place.ts';
import type { BatchGrade } from '../../src/model-catalog/engine-report.ts';
import type { TensorForm } from '../../src/model-catalog/tensor.ts';

const form = (...shape: (number | null)[]): TensorForm => ({ name: 'x', type: 'float32', shape });
const quick = {
  openMs: 1,
  inputs: [form(null, 4)],
  freeRows: true,
  batches: { grade: 'bitwise' } as BatchGrade,
  runs: [
    { rows: 1, ms: 0.02 },
    { rows: 8, ms: 0.03 },
    { rows: 32, ms: 0.05 },
  ],
};
const trusted = { provider: 'cpu', isolated: false } as const;

describe('where a graph runs', () => {
  test.each<[string, Partial<typeof quick>, 'inline' | 'thread', RegExp]>([
    ['one that is small in all that was measured', {}, 'inline', /one row 0\.02 ms, 32 rows 0\.05 ms/],
    [
      'a small one with a fixed number of rows',
      { inputs: [form(1, 4)], freeRows: false, runs: [{ rows: 1, ms: 0.02 }] },
      'inline',
      /one row/,
    ],
    ['one that opens slowly', { openMs: 51 }, 'thread', /Opening it takes 51 ms.*gives 50 ms/],
    [
      'one with a slow row',
      {
        runs: [
          { rows: 1, ms: 0.51 },
          { rows: 32, ms: 0.6 },
        ],
      },
      'thread',
      /gives 50 ms, 0\.5 ms/,
    ],
    [
      'one with slow batches',
      {
        runs: [
          { rows: 1, ms: 0.2 },
          { rows: 32, ms: 5.1 },
        ],
      },
      'thread',
      /32 rows 5\.1 ms/,
    ],
    ['one whose batches were too slow to be timed', { runs: [{ rows: 1, ms: 0.2 }] }, 'thread', /1 rows 0\.2 ms/],
    ['one that could not be timed', { runs: [] }, 'thread', /could not be measured/],
    [
      'one that any size may be given, whatever it took for the least',
      { inputs: [form(null, null)] },
      'thread',
      /sizes that the graph leaves free/,
    ],
    [
      'one whose rows are free and are not what it counts',
      { freeRows: false },
      'thread',
      /sizes that the graph leaves free/,
    ],
  ])('%s', (_, change, place, because) => {
    expect(choosePlace({ ...quick, ...change }, trusted)).toEqual({ place, because: expect.stringMatching(because) });
  });

  test('nobody waits for a lone row that is quick only until it is filled up', () => {
    const runs = [
      { rows: 1, ms: 0.47 },
      { rows: 2, ms: 0.9 },
      { rows: 16, ms: 4.9 },
      { rows: 32, ms: 5 },
    ];
    expect(choosePlace({ ...quick, runs }, trusted).place).toBe('inline');
    expect(choosePlace({ ...quick, runs, batches: { grade: 'padded', padTo: 16 } }, trusted)).toEqual({
      place: 'thread',
      because: expect.stringContaining('one row, filled up to 16, 4.9 ms, 32 rows 5 ms'),
    });
  });

  test('what is not trusted, or needs a driver, runs in a process however small it is', () => {
    expect(choosePlace(quick, { ...trusted, isolated: true }).place).toBe('process');
    expect(choosePlace(quick, { ...trusted, provider: 'cuda' })).toEqual({
      place: 'process',
      because: expect.stringContaining('cuda'),
    });
  });
});
