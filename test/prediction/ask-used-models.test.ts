import type { Consent } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { askUsedModels } from '../../src/prediction/ask-used-models.ts';
import type { UsableModel } from '../../src/prediction/prediction-parts.ts';
import { mgPerDl, observation, patient, recordOf } from '../support/build-record.ts';
import { noPopulation } from '../support/extract-one.ts';
import { egfrOfCkdEpi } from '../support/models-that-use-others.ts';
import { bareMap, shippedModel } from '../support/shipped-model.ts';

const person = recordOf([patient(), observation('2160-0', mgPerDl(0.9), '2026-01-01T08:00:00Z')]);
const optOut: Consent = {
  resourceType: 'Consent',
  status: 'active',
  scope: { text: 'privacy' },
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] }],
  patient: { reference: 'Patient/1' },
};
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

  it('hand on how confidential what they read is, and that an input is shown to nobody: the label is that of all of it', async () => {
    run.mockReset().mockResolvedValue([[77.25, 2]]);
    const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' };
    const creatinine = observation('2160-0', mgPerDl(0.9), '2026-01-01T08:00:00Z', { meta: { security: [label] } });
    const record = recordOf([patient(), creatinine]);
    const { map } = ckdEpi.compiled;
    const hiding = Object.entries(map.features).map(([name, definition]) => [
      name,
      name === 'creatinine' ? { ...definition, sensitive: true } : definition,
    ]);
    const used = { ...ckdEpi, compiled: compileFeatureMap({ ...map, features: Object.fromEntries(hiding) }) };
    const outputs = await askUsedModels({ ...user, uses: [used] }, record, 'UTC');
    const [output] = outputs.values();
    expect(output).toMatchObject({
      confidentiality: { level: 5 },
      remarks: ['not shown there: 1 input, which is sensitive'],
    });
    const manifest = { ...ckdEpi.manifest, tensors: { inputs: [] } };
    const inputs = extractFeatures(record, user.compiled, manifest, new Map(), 'UTC', outputs);
    expect(inputs.confidentiality).toEqual({ level: 5, unknown: [] });
    expect(inputs.basis.some(({ reference }) => reference?.includes('Observation') === true)).toBe(false);
    const given = new Map(
      ['gfr', 'again'].map((name) => [name, { state: 'asserted', value: 60, sources: [] } as const]),
    );
    expect(extractFeatures(record, user.compiled, manifest, given, 'UTC', outputs).confidentiality).toBeUndefined();
  });

  it.each([
    ['is deceased', { deceasedBoolean: true }],
    ['has an inactive record', { active: false }],
    ['was merged into another', { link: [{ other: { reference: 'Patient/2' }, type: 'replaced-by' as const }] }],
  ])('are not asked about somebody who %s: one that fails would hide the abstention', async (_why, changes) => {
    run.mockReset().mockRejectedValue(new PredictionError('INFERENCE_FAILED', 'out of order'));
    const creatinine = observation('2160-0', mgPerDl(0.9), '2026-01-01T08:00:00Z');
    const record = recordOf([patient(changes), creatinine]);
    const outputs = await askUsedModels(user, record, 'UTC');
    expect([outputs.size, run.mock.calls.length]).toEqual([0, 0]);
    const { manifest } = ckdEpi;
    const { verdicts } = extractFeatures(
      record,
      user.compiled,
      { ...manifest, tensors: { inputs: [] } },
      new Map(),
      'UTC',
      outputs,
    );
    expect(verdicts.get('egfr')?.state).toBe('not-eligible');
  });

  it('are not asked about somebody who opted out: one that fails would hide the abstention', async () => {
    run.mockReset().mockRejectedValue(new PredictionError('INFERENCE_FAILED', 'out of order'));
    const creatinine = observation('2160-0', mgPerDl(0.9), '2026-01-01T08:00:00Z');
    expect((await askUsedModels(user, recordOf([patient(), creatinine, optOut]), 'UTC')).size).toBe(0);
  });

  it('are not asked any more once the request is given up, and its reason is told', async () => {
    const stop = new AbortController();
    const closing = new PredictionError('SHUTTING_DOWN', 'closing');
    run.mockReset().mockImplementation(async () => {
      stop.abort(closing);
      return [[77.25, 2]];
    });
    const second = { ...ckdEpi, manifest: { ...ckdEpi.manifest, id: 'second' } };
    const features = { gfr: egfrOfCkdEpi, again: { ...egfrOfCkdEpi, model: 'second' } };
    const both = { compiled: compileFeatureMap(bareMap(features)), uses: [ckdEpi, second] };
    await expect(askUsedModels(both, person, 'UTC', new Map(), { signal: stop.signal })).rejects.toBe(closing);
    expect(run).toHaveBeenCalledTimes(1);
    const late = AbortSignal.abort();
    await expect(askUsedModels(user, person, 'UTC', new Map(), { signal: late })).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      issues: [expect.objectContaining({ code: 'timeout' })],
    });
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('are asked once for a prediction, however many ways lead to them, with all that is taken of them', async () => {
    run.mockReset().mockResolvedValue([[77.25, 2]]);
    const using = (id: string, uses: readonly UsableModel[]): UsableModel => {
      const taken = uses.map(
        ({ manifest }, index) => [`gfr${index}`, { ...egfrOfCkdEpi, model: manifest.id }] as const,
      );
      const { creatinine: _, ...others } = ckdEpi.compiled.map.features;
      const [first] = taken;
      if (first === undefined) throw new Error(`${id} uses none`);
      const features = { ...others, creatinine: first[1], ...Object.fromEntries(taken) };
      return { ...ckdEpi, manifest: { ...ckdEpi.manifest, id }, compiled: compileFeatureMap(bareMap(features)), uses };
    };
    const depth = 16;
    let below: readonly UsableModel[] = [ckdEpi];
    for (let level = 0; level < depth; level += 1)
      below = [using(`left-${level}`, below), using(`right-${level}`, below)];
    const { unit: _unit, plausible: _plausible, ...rest } = egfrOfCkdEpi;
    const features = {
      left: { ...egfrOfCkdEpi, model: `left-${depth - 1}` },
      right: { ...egfrOfCkdEpi, model: `right-${depth - 1}` },
      category: { ...rest, outcome: 'gfr-category', vocabulary: ['G1', 'G2', 'G3a', 'G3b', 'G4', 'G5'] },
    };
    const top = { compiled: compileFeatureMap(bareMap(features)), uses: [ckdEpi, ...below] };
    const outputs = await askUsedModels(top, person, 'UTC');
    expect(run).toHaveBeenCalledTimes(2 * depth + 1);
    expect([...outputs.keys()].slice(0, 4)).toEqual([
      'ckd-epi-2021@1.0.0 egfr',
      'ckd-epi-2021@1.0.0 gfr-category',
      'left-0@1.0.0 egfr',
      'right-0@1.0.0 egfr',
    ]);
  });

  it('cost nothing where there are none', async () => {
    const first = await askUsedModels({ ...user, uses: [] }, person, 'UTC');
    expect(await askUsedModels({ ...user, uses: [] }, person, 'UTC')).toBe(first);
  });
});
