import path from 'node:path';
import type { ModelVersion } from '../../src/model-catalog/model-version.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { shippedModels } from './model-folder.ts';

/** A model that is shipped, read and checked, but not loaded. */
export function shippedModel(id: string, version = '1.0.0'): Promise<ModelVersion> {
  return readModelFolder(path.join(shippedModels, id, version));
}

/** A feature map with nothing but what a test is about. */
export function bareMap(features: ModelVersion['featureMap']['features']): ModelVersion['featureMap'] {
  return { language: 1, features, population: { exclude: [], require: [], ranges: [] } };
}
