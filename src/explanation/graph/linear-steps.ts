import type { Columns, Link, Margin, Traced } from './margin.ts';
import type { Step } from './steps.ts';
import type { ConstantNumbers } from './trace-margin.ts';

/** Weights of a linear layer: `at(input, output)`. */
interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  at(input: number, output: number): number;
  bias(output: number): number;
}

const matMul: Step = ({ traced: [only], constant }) => {
  const weights = constant(1);
  return layered('MatMul', only, weights === undefined ? undefined : layerOf(weights, false, 1));
};

const gemm: Step = ({ node, traced: [only], constant }) => {
  const weights = constant(1);
  const bias = constant(2);
  const number = (name: string, usual: number): number => node.attributes.get(name)?.float ?? usual;
  const flag = (name: string): boolean => (node.attributes.get(name)?.integer ?? 0) !== 0;
  if (weights === undefined || flag('transA')) return layered('Gemm', only, undefined);
  const layer = layerOf(weights, flag('transB'), number('alpha', 1));
  // A C that is worked out is no constant: without it another model would be explained.
  if (bias === undefined && (node.inputs[2] ?? '') !== '') return layered('Gemm', only, undefined);
  if (layer === undefined || bias === undefined) return layered('Gemm', only, layer);
  const { numbers } = bias;
  if (numbers.length !== 1 && numbers.length !== layer.outputs) return layered('Gemm', only, undefined);
  const beta = number('beta', 1);
  return layered('Gemm', only, {
    ...layer,
    bias: (output) => beta * (numbers[numbers.length === 1 ? 0 : output] ?? Number.NaN),
  });
};

/** Of both linear operators of ai.onnx.ml: coefficients by output, then by input. */
function declaredLayer(
  coefficients: readonly number[],
  intercepts: readonly number[],
  outputs: number,
): Layer | undefined {
  const inputs = coefficients.length / outputs;
  if (!Number.isInteger(inputs) || inputs < 1 || (intercepts.length !== 0 && intercepts.length !== outputs))
    return undefined;
  return {
    inputs,
    outputs,
    at: (input, output) => coefficients[output * inputs + input] ?? Number.NaN,
    bias: (output) => (intercepts.length === 0 ? 0 : (intercepts[output] ?? Number.NaN)),
  };
}

const linearRegressor: Step = ({ node, traced: [only] }) => {
  const { attributes } = node;
  const layer = declaredLayer(
    attributes.get('coefficients')?.floats ?? [],
    attributes.get('intercepts')?.floats ?? [],
    attributes.get('targets')?.integer ?? 1,
  );
  const links = linksOf(attributes.get('post_transform')?.text);
  return links === undefined
    ? layered('LinearRegressor', only, undefined)
    : layered('LinearRegressor', only, layer, links);
};

/** Its second output: the scores of the classes. Two classes may share one set of coefficients. */
const linearClassifier: Step = ({ node, traced: [only] }) => {
  const { attributes } = node;
  const name = 'LinearClassifier';
  const intercepts = attributes.get('intercepts')?.floats ?? [];
  const coefficients = attributes.get('coefficients')?.floats ?? [];
  const labels =
    attributes.get('classlabels_ints')?.integers.length || attributes.get('classlabels_strings')?.texts.length;
  const width = only?.kind === 'columns' ? only.columns.length : 0;
  const sets = coefficients.length / width;
  const links = linksOf(attributes.get('post_transform')?.text);
  const layer = width === 0 || !Number.isInteger(sets) ? undefined : declaredLayer(coefficients, intercepts, sets);
  if (layer === undefined || links === undefined) return layered(name, only, undefined);
  const [scores] = layered(name, only, layer, links);
  const label: Traced = { kind: 'beyond', because: 'it is the label of a class' };
  if (sets !== 1 || labels !== 2 || scores?.kind !== 'margin')
    return [label, ...(scores === undefined ? [] : [scores])];
  return [label, bothClasses(scores)];
};

/** The scores of two classes of which only the second has a margin. */
export function bothClasses(second: Margin, first: 'negative' | 'complement' = 'negative'): Margin {
  const [weights = new Float64Array()] = second.weights;
  const [constant = 0] = second.constants;
  return {
    ...second,
    weights: [weights.map((weight) => -weight), weights],
    constants: [(first === 'complement' ? 1 : 0) - constant, constant],
  };
}

/** Undefined for a transform that is not explained here. */
export function linksOf(postTransform: string | undefined): Link[] | undefined {
  switch (postTransform) {
    case undefined:
    case 'NONE':
      return [];
    case 'LOGISTIC':
      return ['logistic'];
    case 'SOFTMAX':
      return ['softmax'];
    default:
      return undefined;
  }
}

export const linearSteps: readonly (readonly [string, Step])[] = [
  ['MatMul', matMul],
  ['Gemm', gemm],
  ['LinearRegressor', linearRegressor],
  ['LinearClassifier', linearClassifier],
];

function layerOf({ numbers, dims }: ConstantNumbers, transposed: boolean, alpha: number): Layer | undefined {
  const [rows, columns] = dims;
  if (dims.length !== 2 || rows === undefined || columns === undefined) return undefined;
  return {
    inputs: transposed ? columns : rows,
    outputs: transposed ? rows : columns,
    at: (input, output) =>
      alpha * (numbers[transposed ? output * columns + input : input * columns + output] ?? Number.NaN),
    bias: () => 0,
  };
}

function layered(
  operator: string,
  input: Traced | undefined,
  layer: Layer | undefined,
  links: readonly Link[] = [],
): readonly Traced[] {
  if (input === undefined || layer === undefined)
    return [{ kind: 'beyond', because: `it goes through ${operator} with weights that are not followed` }];
  if (input.kind === 'columns' && input.columns.length === layer.inputs) return [ofColumns(input, layer, links)];
  if (input.kind === 'margin' && input.links.length === 0 && input.constants.length === layer.inputs)
    return [ofMargin(input, layer, links)];
  if (input.kind === 'margin' && input.links.length > 0)
    return [
      { kind: 'beyond', because: `it goes through ${operator} behind ${input.links.join(' and ')}: it is not linear` },
    ];
  return [{ kind: 'beyond', because: `${operator} takes another number of columns` }];
}

function ofColumns({ columns }: Columns, layer: Layer, links: readonly Link[]): Margin {
  const outputs = Array.from({ length: layer.outputs }, (_, output) => output);
  return {
    kind: 'margin',
    parts: { of: 'columns', columns },
    weights: outputs.map((output) => Float64Array.from(columns, (_, input) => layer.at(input, output))),
    constants: outputs.map((output) => layer.bias(output)),
    links,
  };
}

function ofMargin(margin: Margin, layer: Layer, links: readonly Link[]): Margin {
  const outputs = Array.from({ length: layer.outputs }, (_, output) => output);
  const parts = margin.weights[0]?.length ?? 0;
  return {
    ...margin,
    weights: outputs.map((output) =>
      Float64Array.from({ length: parts }, (_, part) =>
        margin.weights.reduce((sum, row, input) => sum + (row[part] ?? Number.NaN) * layer.at(input, output), 0),
      ),
    ),
    constants: outputs.map((output) =>
      margin.constants.reduce((sum, constant, input) => sum + constant * layer.at(input, output), layer.bias(output)),
    ),
    links,
  };
}
