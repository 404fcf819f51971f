import { describe, expect, test } from 'vitest';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { loadCatalog } from '../../src/model-catalog/catalog.ts';
import { checkSaliency } from '../../src/model-catalog/check-saliency.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { Saliency } from '../../src/model-catalog/saliency-schema.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { byOcclusion, cornerImage, cornerManifest, cornerNetwork } from '../support/corner-network.ts';
import { imageModelFolder } from '../support/image-model.ts';
import { onnxBytes } from '../support/onnx-model.ts';

const age = { kind: 'demographics', label: 'Age', element: 'age', unit: 'a' } as const;

function findings(
  saliency: Saliency,
  { frontal = cornerImage, ...changes }: Partial<Manifest> & { readonly frontal?: FeatureMap['features'][string] } = {},
): string {
  const found: string[] = [];
  const map = { features: { frontal, age } } as unknown as FeatureMap;
  checkSaliency({ ...cornerManifest(saliency), ...changes }, map, (path, message) => found.push(`${path} ${message}`));
  return found.join('\n');
}

const byActivation: Saliency = { feature: 'frontal', by: 'activation', output: 'quarters', grid: [2, 2], most: 1 };

describe('pictures of where an image moved a score', () => {
  test('are declared by occlusion or by an output of the graph', () => {
    expect(findings(byOcclusion)).toBe('');
    expect(findings(byActivation)).toBe('');
  });

  test.each<[string, Saliency, RegExp]>([
    ['a feature that is no image', { ...byOcclusion, feature: 'age' }, /\/feature is age, which is no image.*frontal/],
    ['a patch larger than the tensor', { ...byOcclusion, patch: [9, 2] }, /\/patch is 9 × 2 pixels.* 8 × 8/],
    ['gaps between patches', { ...byOcclusion, stride: [2, 3] }, /\/stride is 2 × 3: .*left out/],
    ['an outcome that is none', { ...byOcclusion, outcomes: ['other'] }, /\/outcomes\/0 is other.*there are finding/],
    ['an output that is none', { ...byActivation, output: 'cam' }, /\/output is cam.*finding, quarters/],
    ['a grid that does not fill the output', { ...byActivation, grid: [3, 3] }, /\/grid has 9 cells and quarters 4/],
  ])('are refused at load for %s', (_, saliency, told) => {
    expect(findings(saliency)).toMatch(told);
  });

  test('are refused at load where nobody would see them, and where nobody may', () => {
    const { report, ...without } = cornerManifest(byOcclusion);
    expect(report).toBeDefined();
    const found: string[] = [];
    const map = { features: { frontal: { ...cornerImage, sensitive: 'test' }, age } } as unknown as FeatureMap;
    checkSaliency(without as Manifest, map, (path, message) => found.push(`${path} ${message}`));
    expect(found).toEqual([
      expect.stringMatching(/saliency makes pictures for reports/),
      expect.stringMatching(/feature is frontal, which the map marks as sensitive/),
    ]);
  });

  test('by an output of the graph are part of a version that loads, though no outcome reads that output', async () => {
    const golden = (name: string, age: number, logit: number) => ({
      name,
      inputs: { frontal: { npy: `${name}.npy` }, age },
      expected: { finding: 1 / (1 + Math.exp(-logit)) },
      tolerance: 1e-6,
    });
    const cases = [golden('dark', 40, 0.5 + 0.8 - 2), golden('chessboard', 70, 2 + 1.4 - 2)];
    await using folder = await imageModelFolder({ source: 'worked out in doubles', cases });
    await folder.write('model.onnx', onnxBytes(cornerNetwork));
    const { tensors, explanation, report } = cornerManifest(byActivation);
    await folder.edit('manifest.json', (json) => Object.assign(json, { tensors, explanation, report }));
    await folder.seal();
    const engine = createOnnxEngine();
    const { refused, find } = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(refused.map(({ error }) => error.message)).toEqual([]);
    expect(find('pce-2013').manifest.explanation).toEqual(explanation);
    await engine.close();
  });

  test('are refused at load where they would take more runs of the model than anybody waits for', () => {
    const inputs = [{ name: 'pixels', type: 'float32', shape: [1, 512, 512], image: 'frontal' }] as const;
    const { tensors } = cornerManifest(byOcclusion);
    const changes = { tensors: { ...tensors, inputs: inputs.map((each) => ({ ...each, shape: [...each.shape] })) } };
    expect(findings({ ...byOcclusion, patch: [32, 32], stride: [8, 8] }, changes)).toMatch(
      /\/stride makes 3721 patches.*1024/,
    );
    expect(findings({ ...byOcclusion, patch: [32, 32], stride: [16, 16] }, changes)).toBe('');
  });
});
