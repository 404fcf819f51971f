import { expect, test } from 'vitest';
import { servedModels } from '../../../src/entrances/inference-protocol/served-models.ts';
import type { Tensors } from '../../../src/model-catalog/tensor.ts';
import { loadedVersions } from '../../support/loaded-versions.ts';
import { type SwitchedModels, switchedModels } from '../../support/switched-models.ts';

const model = 'prevent-base';
const answer: Tensors = new Map([['risk', { type: 'float64', dims: [1, 1], data: Float64Array.of(0.1) }]]);
const options = { lane: 'batch', answerBy: Number.POSITIVE_INFINITY, signal: new AbortController().signal } as const;

/** @param whileRun what happens while the graph runs */
function modelsThatRun(whileRun: () => void = () => undefined): SwitchedModels & { readonly runs: () => number } {
  let runs = 0;
  const infer = async (): Promise<Tensors> => {
    runs++;
    whileRun();
    return answer;
  };
  const made = switchedModels(loadedVersions({ '1.0.0': 'aa' }).map((version) => ({ ...version, infer })));
  return { ...made, runs: () => runs };
}

test('tensors of a model that was switched off after it was found, as while the body came, are not run', async () => {
  const { catalog, switchOff, runs } = modelsThatRun();
  const found = servedModels(catalog).find(model);
  expect(await found.infer(new Map(), ['risk'], options)).toBe(answer);
  switchOff('models');
  await expect(found.infer(new Map(), ['risk'], options)).rejects.toMatchObject({ code: 'MODEL_DISABLED' });
  expect(runs()).toBe(1);
});

test('what a model gives that was switched off while it ran is not handed out', async () => {
  const { catalog, switchOff, runs } = modelsThatRun(() => switchOff('models'));
  const found = servedModels(catalog).find(model);
  await expect(found.infer(new Map(), ['risk'], options)).rejects.toMatchObject({ code: 'MODEL_DISABLED' });
  expect(runs()).toBe(1);
});
