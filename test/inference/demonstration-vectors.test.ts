import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { type Catalog, loadCatalog } from '../../src/model-catalog/catalog.ts';
import { outcomeScore } from '../../src/model-catalog/outcome-score.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { columnNames, demonstrations, testVectors } from '../support/demonstrations.ts';
import { someModels } from '../support/some-models.ts';

let engine: InferenceEngine;
let catalog: Catalog;
beforeAll(async () => {
  engine = createOnnxEngine();
  catalog = await loadCatalog({ modelsDir: await someModels(demonstrations), engine, clock: systemClock });
});
afterAll(() => engine?.close());

describe('a demonstration model scores its stored rows as the library that trained it', () => {
  test('every one of them is served, and says that it is one', () => {
    expect(catalog.refused).toEqual([]);
    expect(catalog.list().map(({ manifest }) => [manifest.id, manifest.demonstration])).toEqual(
      demonstrations.map((id) => [id, true]),
    );
  });

  test.each(demonstrations)('%s, within 0.00001', async (id) => {
    const vectors = testVectors(id);
    const version = catalog.find(id);
    expect(vectors.columns).toEqual(columnNames(version));
    const outcome = version.manifest.outcomes.find((one) => one.id === vectors.outcome);
    if (outcome === undefined) throw new Error(`${id} has no outcome ${vectors.outcome}`);
    const outputs = await version.run(vectors.rows);
    expect(outputs).toHaveLength(vectors.scores.length);
    expect(vectors.scores.length).toBeGreaterThanOrEqual(20);
    vectors.scores.forEach((score, row) => {
      const found = outcomeScore(outcome, outputs[row] ?? []);
      expect(Math.abs(found - score), `row ${row}`).toBeLessThanOrEqual(1e-5);
    });
  });
});
