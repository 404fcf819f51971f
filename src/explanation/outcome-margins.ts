import { readOnnxModel } from '../inference/onnx-graph/read-onnx-model.ts';
import type { ExplanationMethod } from '../model-catalog/explanation-schema.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import { PredictionError } from '../platform/errors.ts';
import type { OutcomeMargin } from './explain-margin.ts';
import type { Traced } from './graph/margin.ts';
import { asMargin } from './graph/steps.ts';
import { traceMargin } from './graph/trace-margin.ts';
import { graphInputs, graphOutput } from './model-tensors.ts';
import { toldScale } from './told-scale.ts';

/** What a method needs the graph to be, in words. */
const wanted = {
  columns:
    'a linear or logistic model: a weighted sum of the input columns, with a logistic function or a softmax of two classes behind it at most',
  trees: 'a sum of trees: one TreeEnsembleClassifier or TreeEnsembleRegressor, with scalers before it at most',
} as const;

/**
 * The margins of all outcomes that have contributions, read from the graph.
 * Throws MODEL_INVALID where the graph is not what the method needs, or other margins move the score as well: it says which
 * node is in the way, and the way out.
 */
export function outcomeMargins(manifest: Manifest, artefact: Uint8Array, of: 'columns' | 'trees'): OutcomeMargin[] {
  const { method } = manifest.explanation;
  const { graph } = readOnnxModel(artefact);
  const inputs = graphInputs(manifest);
  // Outcomes may be columns of one output, whose trees are read once.
  const outputs = new Map<string, Traced>();
  const tracedTo = (name: string): Traced => {
    const traced = outputs.get(name) ?? traceMargin(graph, inputs, name);
    outputs.set(name, traced);
    return traced;
  };
  return manifest.outcomes.flatMap((outcome): OutcomeMargin[] => {
    if (outcome.kind === 'class') return [];
    const refuse = (because: string, cause?: unknown): PredictionError =>
      refused(manifest, method, of, outcome.id, because, cause);
    if (outcome.kind === 'survival') throw refuse('its score is a point of a curve, which has no margin');
    const { name, column } = graphOutput(manifest, outcome.column);
    try {
      const traced = tracedTo(name);
      const margin = asMargin(traced);
      if (margin === undefined || margin.parts.of !== of || margin.weights[column] === undefined)
        throw refuse(traced.kind === 'beyond' ? traced.because : `it is made of ${margin?.parts.of}`);
      const told = toldScale(outcome, margin, column);
      if (typeof told === 'string') throw refuse(told);
      return [{ outcome: outcome.id, margin, column, place: outcome.column, ...told }];
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw refuse(`the trees or numbers of model.onnx ${cause.message}`, cause);
    }
  });
}

function refused(
  { id, version }: Manifest,
  method: ExplanationMethod['method'],
  of: keyof typeof wanted,
  outcome: string,
  because: string,
  cause?: unknown,
): PredictionError {
  return new PredictionError(
    'MODEL_INVALID',
    `Model ${id}@${version}: manifest.json /explanation/method is ${method}, which needs ${wanted[of]}; for the outcome ${outcome}, ${because}. Name occlusion or permutation-shapley, which explain any model.`,
    { cause },
  );
}
