import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/explanation/contribution.ts';
import { createExplainer } from '../../src/explanation/create-explainer.ts';
import { createTreeShapWorker, type TreeShapWorker } from '../../src/explanation/trees/tree-shap-worker.ts';
import type { ModelSession } from '../../src/inference/model-session.ts';
import { openOnnxSession } from '../../src/inference/onnx-session.ts';
import type { ExplanationMethod } from '../../src/model-catalog/explanation-schema.ts';
import type { ModelRow } from '../../src/model-catalog/model-row.ts';
import { type ShapVectors, shapCases, shapVectors, vectorManifest } from '../support/shap-vectors.ts';

const said = { against: 'the average of the training data', because: 'tests' };

function methodFor({ means, background }: ShapVectors): ExplanationMethod {
  if (means !== undefined) return { method: 'linear', means: [...means], ...said };
  if (background !== undefined) return { method: 'permutation-shapley', permutations: 20, seed: 7, ...said };
  return { method: 'tree-shap', ...said };
}

/** The one that the library explains and this does not. */
const ofThree = 'multinomial';

/** Rows of float32 in, rows of the explained output out. */
async function run(session: ModelSession, { input, output }: ShapVectors, rows: readonly ModelRow[]) {
  const columns = rows[0]?.length ?? 0;
  const data = Float32Array.from(rows.flat(), Number);
  const found = await session.run(new Map([[input, { type: 'float32', dims: [rows.length, columns], data }]]), [
    output,
  ]);
  const tensor = found.get(output);
  const width = tensor?.dims[1] ?? 1;
  const numbers = Array.from(tensor?.data as Float32Array);
  return rows.map((_, row) => numbers.slice(row * width, (row + 1) * width));
}

async function explained(vectors: ShapVectors, worker: TreeShapWorker): Promise<Explanation[]> {
  const manifest = vectorManifest(vectors, methodFor(vectors));
  const explainer = createExplainer({ manifest, featureMap: { features: {} }, ...vectors }, worker);
  const session = await openOnnxSession({ key: vectors.name, artefact: vectors.artefact, provider: 'cpu', threads: 1 });
  try {
    const found: Explanation[] = [];
    for (const inputs of vectors.rows) {
      const request = {
        inputs,
        features: new Map(),
        outcomes: manifest.outcomes,
        run: (rows: readonly ModelRow[]) => run(session, vectors, rows),
      };
      found.push(await explainer(request));
    }
    return found;
  } finally {
    await session.release();
  }
}

describe('contributions equal those of the shap library', () => {
  let here: TreeShapWorker;
  let apart: TreeShapWorker;
  beforeAll(() => {
    here = createTreeShapWorker(Number.POSITIVE_INFINITY);
    apart = createTreeShapWorker(0);
  });
  afterAll(async () => {
    await here.close();
    await apart.close();
  });

  test('there is a case of each kind', () => {
    expect(shapCases).toHaveLength(15);
  });

  test('but of one of three classes behind a softmax none are given: its margin may rise while its probability falls', async () => {
    await expect(explained(shapVectors(ofThree), here)).rejects.toThrow(/one of three or more classes of a softmax/);
  });

  test.each(shapCases.filter((name) => name !== ofThree))('of %s, and add up to its score', async (name) => {
    const vectors = shapVectors(name);
    const found = await explained(vectors, here);
    for (const [row, { contributions, bases }] of found.entries()) {
      const [base] = bases;
      expect(base?.scale).toBe(vectors.scale);
      expect(Math.abs((base?.base ?? Number.NaN) - vectors.base)).toBeLessThan(
        1e-6 * Math.max(1, Math.abs(vectors.base)),
      );
      // What a float32 of a probability says of the log-odds is less than 1e-6 of them; near 0 and 1 it is nothing.
      const bits = vectors.scale === 'score' ? 1e-6 * Math.max(1, Math.abs(vectors.base)) : 1e-2;
      expect(Math.abs(base?.residual ?? (vectors.scale === 'score' ? 1 : 0))).toBeLessThan(bits);
      for (const [column, { difference, standardError }] of contributions.entries()) {
        const stored = vectors.contributions[row]?.[column] ?? Number.NaN;
        const allowed = standardError === undefined ? 1e-6 * Math.max(1, Math.abs(stored)) : 4 * standardError + 1e-6;
        expect(Math.abs(difference - stored), `row ${row}, column ${column}`).toBeLessThan(allowed);
      }
    }
  });

  test.each(['forest-three', 'lightgbm'])('of %s the same from a thread of their own', async (name) => {
    const vectors = shapVectors(name);
    expect(await explained(vectors, apart)).toEqual(await explained(vectors, here));
  });
});
