import type { FeatureValue } from '../features/feature-vector.ts';
import { encode } from '../inference/score.ts';
import { referencePerson } from '../model-catalog/explanation-schema.ts';
import type { ModelCell, ModelRow, RunRows } from '../model-catalog/model-row.ts';
import { inputColumns } from '../model-catalog/model-tensors.ts';
import type { ModelVersion } from '../model-catalog/model-version.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { explainAdditive } from './additive.ts';
import type { Explanation } from './contribution.ts';
import { explainMargin, type OutcomeMargin, type PartsOfRow } from './explain-margin.ts';
import type { TreeParts } from './graph/margin.ts';
import { rowsWithoutParts } from './input-parts.ts';
import { linearParts } from './linear/linear-parts.ts';
import { featuresOfColumns } from './model-tensors.ts';
import { explainByOcclusion } from './occlusion.ts';
import { outcomeMargins } from './outcome-margins.ts';
import { explainByPermutations } from './permutation-shapley.ts';
import { expectedTargets } from './trees/tree-ensemble.ts';
import { treeParts, treeRow } from './trees/tree-parts.ts';
import type { TreeShapWorker } from './trees/tree-shap-worker.ts';

/** What is explained: one subject, and the outcomes that it has scores of. */
export interface ExplainerRequest {
  /** This subject's model row. */
  readonly inputs: ModelRow;
  /** What that was made of. */
  readonly features: ReadonlyMap<string, FeatureValue>;
  /** Runs the model; see LoadedModel.run. */
  readonly run: RunRows;
  readonly outcomes: readonly Outcome[];
}

/**
 * The contributions of one subject by the method that the manifest of a version names.
 * Throws PredictionError where there are none that hold.
 */
export type Explainer = (request: ExplainerRequest) => Promise<Explanation>;

/** What an explainer is made of. */
export type ExplainedVersion = Pick<ModelVersion, 'manifest' | 'artefact' | 'background'> & {
  readonly featureMap: Pick<ModelVersion['featureMap'], 'features'>;
};

/**
 * Makes what a version needs to explain its scores, once, at load.
 * Throws MODEL_INVALID where its method does not fit its graph.
 */
export function createExplainer(version: ExplainedVersion, treeShapWorker: TreeShapWorker): Explainer {
  const { manifest, artefact } = version;
  const { explanation } = manifest;
  switch (explanation.method) {
    case 'occlusion':
    case 'additive': {
      const method = explanation.method === 'additive' ? explainAdditive : explainByOcclusion;
      const columns = inputColumns(manifest);
      const reference = referencePerson(explanation);
      const names = explanation.method === 'occlusion' ? (explanation.parts ?? []) : [];
      return ({ features, ...request }) => {
        const parts = rowsWithoutParts(names, columns, request.inputs, features, version.featureMap);
        return method({ ...request, columns, encode, reference, parts });
      };
    }
    case 'permutation-shapley': {
      const { permutations, seed } = explanation;
      const featureOf = featuresOfColumns(manifest);
      const background = version.background ?? [];
      return (request) => explainByPermutations({ ...request, featureOf, background, permutations, seed });
    }
    case 'linear': {
      const { means } = explanation;
      return marginExplainer(version, outcomeMargins(manifest, artefact, 'columns'), ({ parts }, row) => {
        if (parts.of !== 'columns') throw new RangeError('the margin is made of trees');
        return Promise.resolve(linearParts(parts.columns, row, means));
      });
    }
    case 'tree-shap': {
      const margins = outcomeMargins(manifest, artefact, 'trees');
      const ensembles = new Set(margins.map(({ margin }) => treesOf(margin.parts).ensemble));
      const expected = new Map([...ensembles].map((trees) => [trees, expectedTargets(trees)]));
      const shap = treeShapWorker.measured([...ensembles]);
      return marginExplainer(version, margins, async ({ parts }, row) => {
        const trees = treesOf(parts);
        const compared = treeRow(trees, row);
        const average = expected.get(trees.ensemble);
        if (average === undefined) throw new RangeError('the trees are none of this version');
        return treeParts(trees, average, compared, await shap(trees.ensemble, compared));
      });
    }
  }
}

type PartsFor = (margin: OutcomeMargin['margin'], row: readonly number[]) => Promise<PartsOfRow>;

function marginExplainer(
  { manifest }: ExplainedVersion,
  margins: readonly OutcomeMargin[],
  partsFor: PartsFor,
): Explainer {
  const featureOf = featuresOfColumns(manifest);
  return async ({ inputs, run, outcomes }) => {
    const [output = []] = await run([inputs]);
    // Outcomes may be columns of one output: what it is made of is worked out once.
    const parts = new Map<unknown, Promise<PartsOfRow>>();
    const explained = [];
    for (const each of margins.filter(({ outcome }) => outcomes.some(({ id }) => id === outcome))) {
      const key = each.margin.parts.of === 'trees' ? each.margin.parts.ensemble : each.margin;
      const made = parts.get(key) ?? partsFor(each.margin, inputs.map(numberOf));
      parts.set(key, made);
      explained.push(explainMargin(each, await made, featureOf, output));
    }
    return {
      contributions: explained.flatMap(({ contributions }) => contributions),
      bases: explained.map(({ base }) => base),
    };
  };
}

/** No margin is made of a text or an image: a graph that takes one is followed no further. */
function numberOf(value: ModelCell): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function treesOf(parts: OutcomeMargin['margin']['parts']): TreeParts {
  if (parts.of !== 'trees') throw new RangeError('the margin is made of columns');
  return parts;
}
