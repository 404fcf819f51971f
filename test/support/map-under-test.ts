import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type CompiledFeatureMap, compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { Lookups } from '../../src/model-catalog/read-lookups.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { publishedModels } from './demonstrations.ts';
import { shippedModels } from './model-folder.ts';

/** A feature map and what its model takes and says. */
export interface MapUnderTest {
  readonly id: string;
  readonly map: FeatureMap;
  readonly lookups: Lookups;
  readonly manifest: Pick<Manifest, 'tensors' | 'outcomes'>;
  readonly compiled: CompiledFeatureMap;
}

export function mapUnderTest(
  id: string,
  map: FeatureMap,
  lookups: Lookups,
  manifest: MapUnderTest['manifest'],
): MapUnderTest {
  return { id, map, lookups, manifest, compiled: compileFeatureMap(map, lookups) };
}

/** Every version of every published model that is shipped; demonstrations read nothing that these do not. */
export async function shippedMaps(): Promise<MapUnderTest[]> {
  const maps: MapUnderTest[] = [];
  for (const id of publishedModels) {
    for (const version of (await readdir(path.join(shippedModels, id))).sort()) {
      const { key, featureMap, lookups, manifest } = await readModelFolder(path.join(shippedModels, id, version));
      maps.push(mapUnderTest(key, featureMap, lookups, manifest));
    }
  }
  return maps;
}
