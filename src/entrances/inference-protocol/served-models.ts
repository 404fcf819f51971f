import type { LiveCatalog } from '../../model-catalog/live-catalog.ts';
import { inputTensors } from '../../model-catalog/model-tensors.ts';
import { whileOn } from '../../model-catalog/while-on.ts';
import type { InferenceModels } from './inference-models.ts';

/** The loaded versions of the catalog, as graphs. */
export function servedModels(catalog: LiveCatalog): InferenceModels {
  return {
    find(name, version) {
      const found = catalog.find(name, version);
      const { manifest, inputs, outputs, infer } = found;
      return {
        name: manifest.id,
        version: manifest.version,
        inputs,
        outputs,
        acceptsNaN: new Set(
          inputTensors(manifest).flatMap(({ name, acceptsNaN }) => (acceptsNaN === true ? [name] : [])),
        ),
        infer: whileOn(catalog, found, infer),
      };
    },
    async held(work) {
      const borrowed = catalog.borrow();
      try {
        return await work();
      } finally {
        borrowed.giveBack();
      }
    },
    versionsOf: (name) => catalog.list().flatMap(({ manifest }) => (manifest.id === name ? [manifest.version] : [])),
    allReady: () => catalog.refused.length === 0,
  };
}
