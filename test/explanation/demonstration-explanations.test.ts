import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExplainer } from '../../src/explanation/create-explainer.ts';
import { createTreeShapWorker, type TreeShapWorker } from '../../src/explanation/trees/tree-shap-worker.ts';
import type { InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { type Catalog, loadCatalog } from '../../src/model-catalog/catalog.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { demonstrations, testVectors } from '../support/demonstrations.ts';
import { someModels } from '../support/some-models.ts';

/** Those whose training script stored what the `shap` library says. */
const explained = demonstrations.filter((id) => testVectors(id).explanation !== undefined);

let engine: InferenceEngine;
let worker: TreeShapWorker;
let catalog: Catalog;
beforeAll(async () => {
  engine = createOnnxEngine();
  worker = createTreeShapWorker();
  catalog = await loadCatalog({ modelsDir: await someModels(explained), engine, clock: systemClock });
});
afterAll(async () => {
  await worker?.close();
  await engine?.close();
});

describe('a demonstration model is explained as the shap library explains it', () => {
  test('by TreeSHAP and by coefficients', () => {
    expect(explained.map((id) => [id, testVectors(id).explanation?.method])).toEqual([
      ['demo-breast-cancer-boosting', 'tree-shap'],
      ['demo-breast-cancer-forest', 'tree-shap'],
      ['demo-breast-cancer-logistic', 'linear'],
      ['demo-diabetes-progression', 'linear'],
    ]);
  });

  test.each(explained)('%s, within 0.000001', async (id) => {
    const version = catalog.find(id);
    const { explanation, rows, columns } = testVectors(id);
    if (explanation === undefined) throw new Error('nothing is stored');
    expect(version.manifest.explanation.method).toBe(explanation.method);
    const explainer = createExplainer(version, worker);
    for (const [index, inputs] of rows.entries()) {
      const { contributions, bases } = await explainer({
        inputs,
        features: new Map(),
        run: version.run,
        outcomes: version.manifest.outcomes,
      });
      expect(Math.abs((bases[0]?.base ?? Number.NaN) - explanation.base)).toBeLessThan(
        1e-6 * Math.max(1, Math.abs(explanation.base)),
      );
      expect(contributions).toHaveLength(columns.length);
      for (const { feature, difference } of contributions) {
        const stored = explanation.values[index]?.[columns.indexOf(feature)] ?? Number.NaN;
        expect(Math.abs(difference - stored), `row ${index}, ${feature}`).toBeLessThanOrEqual(
          1e-6 * Math.max(1, Math.abs(stored)),
        );
      }
    }
  });
});
