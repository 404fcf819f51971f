import { expect, test } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import { checkColumns, checkManifest } from '../../src/model-catalog/check-manifest.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { parseFeatureMap, parseManifest } from '../../src/model-catalog/parse-model-json.ts';
import { resolveFeatureMap } from '../../src/model-catalog/resolve-feature-map.ts';
import { blocksOf } from '../support/markdown-blocks.ts';

const document = 'docs/imaging-models.md';

function example(check: string): Uint8Array {
  const found = blocksOf(document).find(({ mark }) => mark?.value === check);
  if (found === undefined) throw new Error(`${document} has no example of ${check}`);
  return Buffer.from(found.text);
}

function read() {
  const findings: Finding[] = [];
  const manifest = parseManifest(document, example('manifest'), findings);
  const file = parseFeatureMap(document, example('feature-map'), findings);
  expect(findings).toEqual([]);
  if (manifest === undefined || file === undefined) throw new Error('nothing was parsed');
  const { map, findings: unresolved } = resolveFeatureMap(file, new Map());
  expect(unresolved).toEqual([]);
  if (map === undefined) throw new Error('the map was not resolved');
  return { manifest, map };
}

test('the manifest to copy fits its feature map, and the tensor the steps of its image', () => {
  const { manifest, map } = read();
  const outcomes = manifest.outcomes.map(({ id }) => id);
  expect(checkFeatureMap(map, outcomes)).toEqual([]);
  expect(checkColumns(manifest, map)).toEqual([]);
  // The files are not there to be summed.
  const others = checkManifest(manifest, manifest).filter(({ path }) => path !== '/checksums');
  expect(others).toEqual([]);
  expect(compileFeatureMap(map).features.size).toBe(1);
});

test('a tensor of another shape than the steps give is refused', () => {
  const { manifest, map } = read();
  const input = { ...manifest.tensors.input, shape: [224, 224, 3] } as NonNullable<typeof manifest.tensors.input>;
  const changed = { ...manifest, tensors: { ...manifest.tensors, input } };
  expect(checkColumns(changed, map)).not.toEqual([]);
});
