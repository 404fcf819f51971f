import { describe, expect, test } from 'vitest';
import { checkSaliency } from '../../src/model-catalog/check-saliency.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { Saliency } from '../../src/model-catalog/saliency-schema.ts';
import { byOcclusion, cornerImage, cornerManifest } from '../support/corner-network.ts';

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
