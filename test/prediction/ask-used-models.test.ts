import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { askUsedModels } from '../../src/prediction/ask-used-models.ts';
import type { UsableModel } from '../../src/prediction/prediction-parts.ts';
import { mgPerDl, observation, patient, recordOf } from '../support/build-record.ts';
import { noPopulation } from '../support/extract-one.ts';
import { egfrOfCkdEpi } from '../support/models-that-use-others.ts';
import { shippedModel } from '../support/shipped-model.ts';

const person = recordOf([patient(), observation('2160-0', mgPerDl(0.9), '2026-01-01T08:00:00Z')]);
const run = vi.fn<UsableModel['run']>();
let ckdEpi: UsableModel;
let user: Pick<UsableModel, 'compiled' | 'uses'>;

beforeAll(async () => {
  const { manifest, featureMap } = await shippedModel('ckd-epi-2021');
  ckdEpi = { manifest, compiled: compileFeatureMap(featureMap), run, uses: [] };
  const features = { gfr: egfrOfCkdEpi, again: { ...egfrOfCkdEpi, label: 'Again' } };
  user = { compiled: compileFeatureMap({ language: 1, features, population: noPopulation }), uses: [ckdEpi] };
});
afterAll(() => vi.restoreAllMocks());

describe('the models whose outputs are inputs', () => {
  it('are run once for all that is taken of them', async () => {
    run.mockReset().mockResolvedValue([[77.25, 2]]);
    const outputs = await askUsedModels(user, person, 'UTC');
    expect(run).toHaveBeenCalledTimes(1);
    expect([...outputs]).toEqual([
      ['ckd-epi-2021@1.0.0 egfr', expect.objectContaining({ value: 77.25, dates: ['2026-01-01T08:00:00Z'] })],
    ]);
  });

  it('are not run where the caller asserts all that is taken of them, nor where they abstain', async () => {
    run.mockReset();
    const said = { state: 'asserted', value: 60, sources: [] } as const;
    expect(
      (
        await askUsedModels(
          user,
          person,
          'UTC',
          new Map([
            ['gfr', said],
            ['again', said],
          ]),
        )
      ).size,
    ).toBe(0);
    const outputs = await askUsedModels(user, recordOf([patient()]), 'UTC');
    expect([...outputs.values()]).toMatchObject([{ verdict: { state: 'insufficient-data' }, behind: ['not-found'] }]);
    expect(run).not.toHaveBeenCalled();
  });

  it.each([
    ['a number that the outcome cannot be', [[251, 2]]],
    ['no number', [[Number.NaN, 2]]],
    ['nothing', []],
  ])('fail the prediction, and are named, where one answers %s', async (_answer, rows) => {
    run.mockReset().mockResolvedValue(rows);
    await expect(askUsedModels(user, person, 'UTC')).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringContaining('ckd-epi-2021@1.0.0, whose output is an input, failed: '),
    });
  });

  it('say by what they are superseded, as their own results do', async () => {
    run.mockReset().mockResolvedValue([[77.25, 2]]);
    const supersededBy = { model: 'ckd-epi-2040', because: 'it is newer.' };
    const older = { ...ckdEpi, manifest: { ...ckdEpi.manifest, supersededBy } };
    const [output] = (await askUsedModels({ ...user, uses: [older] }, person, 'UTC')).values();
    expect(output).toMatchObject({ remarks: ['which is superseded by ckd-epi-2040: it is newer.'] });
  });

  it('cost nothing where there are none', async () => {
    const first = await askUsedModels({ ...user, uses: [] }, person, 'UTC');
    expect(await askUsedModels({ ...user, uses: [] }, person, 'UTC')).toBe(first);
  });
});
