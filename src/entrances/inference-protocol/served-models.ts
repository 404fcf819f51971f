import type { Catalog } from '../../model-catalog/catalog.ts';
import type { InferenceModels } from './inference-models.ts';

/** The loaded versions of the catalog, as graphs. */
export function servedModels(catalog: Catalog): InferenceModels {
  return {
    find(name, version) {
      const { manifest, inputs, outputs, infer } = catalog.find(name, version);
      return {
        name: manifest.id,
        version: manifest.version,
        inputs,
        outputs,
        acceptsNaN: manifest.tensors.input.acceptsNaN === true,
        infer,
      };
    },
    versionsOf: (name) => catalog.list().flatMap(({ manifest }) => (manifest.id === name ? [manifest.version] : [])),
    allReady: () => catalog.refused.length === 0,
  };
}
