import { describe, expect, test } from 'vitest';
import { inferTensors } from '../../src/inference/graph-model.ts';
import type { ModelSession } from '../../src/inference/model-session.ts';
import { type OpenedGraph, servedGraph } from '../../src/inference/served-graph.ts';
import type { EngineReport } from '../../src/model-catalog/engine-report.ts';
import type { Tensor, Tensors } from '../../src/model-catalog/tensor.ts';

const inputs = [{ name: 'x', type: 'float64', shape: [null, 1] }] as const;
const outputs = ['risk', 'share', 'mean'].map((name) => ({ ...inputs[0], name }));
const runs = [
  { rows: 1, ms: 0.1 },
  { rows: 2, ms: 0.2 },
  { rows: 16, ms: 0.4 },
  { rows: 32, ms: 0.8 },
];

/** Of three outputs one was graded; a row is expected to take 0.025 ms, and a run in the main thread may take 5. */
function served(place: EngineReport['place']): OpenedGraph {
  const session: ModelSession = {
    inputs,
    outputs,
    otherOutputs: [],
    run: async (feeds, wanted) => new Map(wanted.map((name) => [name, feeds.get('x') as Tensor])),
    release: async () => undefined,
  };
  return servedGraph(
    session,
    {
      openMs: 1,
      inputs,
      outputs,
      otherOutputs: [],
      freeRows: true,
      runs,
      batches: { grade: 'padded', padTo: 16 },
      graded: ['risk'],
      mostRows: 256,
    },
    {
      key: 'test@1.0.0',
      longestJointMs: 5,
      report: { place, because: 'the test', runtime: 'none', device: { policy: 'cpu', provider: 'cpu' } },
    },
  );
}

function rows(count: number): Tensors {
  return new Map([['x', { type: 'float64', dims: [count, 1], data: new Float64Array(count) }]]);
}

describe('a call for outputs that nobody graded', () => {
  test.each([[undefined], [['share']], [['mean', 'risk']]])(
    'does not stop everybody else for as long as 200,000 rows take in the main thread: %j is refused',
    async (wanted) => {
      await expect(inferTensors(served('inline'), rows(200_000), wanted, {})).rejects.toMatchObject({
        code: 'PARAMETER_INVALID',
        message: expect.stringMatching(
          /200000 rows with .*(share|mean).*one run that would keep all others waiting\. Ask for at most 192 rows at a time, or only for risk\./,
        ),
      });
    },
  );

  test('is run where it is short, where it is run apart, and where it is for what was graded', async () => {
    const rowsGiven = async (place: EngineReport['place'], count: number, name: string): Promise<unknown> =>
      (await inferTensors(served(place), rows(count), [name], {})).get(name)?.dims[0];
    expect(await rowsGiven('inline', 192, 'share')).toBe(192);
    await expect(rowsGiven('inline', 193, 'share')).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
    expect(await rowsGiven('thread', 20_000, 'share')).toBe(20_000);
    expect(await rowsGiven('inline', 20_000, 'risk')).toBe(20_000);
  });
});

test('nobody is shown a row that is quicker than any row is served: the report has runs as they are filled up', () => {
  expect(served('inline').report.runs).toEqual(runs.slice(2));
});
