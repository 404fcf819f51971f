import { constantSteps } from './constant-steps.ts';
import { linearSteps } from './linear-steps.ts';
import type { Link, Margin, Traced } from './margin.ts';
import type { StepInputs } from './trace-margin.ts';
import { treeSteps } from './tree-steps.ts';

/** What an operator makes of a traced row: one result for each of its outputs, or one for all. */
export type Step = (inputs: StepInputs) => readonly Traced[];

export function beyond(because: string): Traced[] {
  return [{ kind: 'beyond', because }];
}

const same: Step = ({ traced: [only], node }) =>
  only === undefined ? beyond(`it goes through ${node.operator}`) : [only];

const elementTypes = { float32: 1, float64: 11 } as const;

/** Only between the two types of real numbers; a margin stays what it is. */
const cast: Step = ({ traced: [only], node }) => {
  const to = node.attributes.get('to')?.integer;
  if (only?.kind === 'margin' && (to === elementTypes.float32 || to === elementTypes.float64)) return [only];
  if (only?.kind !== 'columns') return beyond('it goes through Cast to another kind of numbers');
  if (to === elementTypes.float64) return [{ ...only, type: 'float64' }];
  if (to !== elementTypes.float32) return beyond('it goes through Cast to another kind of numbers');
  const columns = only.columns.map((column) => ({ ...column, exact: (x: number) => Math.fround(column.exact(x)) }));
  return [{ kind: 'columns', type: 'float32', columns }];
};

const concat: Step = ({ node, traced }) => {
  const parts = traced.flatMap((each) => (each.kind === 'columns' ? [each] : []));
  const axis = node.attributes.get('axis')?.integer;
  const [first] = parts;
  if (first === undefined || parts.length !== node.inputs.length || (axis !== 1 && axis !== -1))
    return beyond('it goes through Concat of something else than columns');
  return [{ ...first, columns: parts.flatMap(({ columns }) => columns) }];
};

/** One that leaves rows and columns where they are; a lone column may lose its axis. */
const reshape: Step = ({ node, traced: [only], constant }) => {
  const sizes = Array.from(constant(1)?.numbers ?? []);
  const width = only?.kind === 'columns' ? only.columns.length : only?.kind === 'margin' ? only.constants.length : 0;
  const keeps =
    (sizes.length === 1 && sizes[0] === -1 && width === 1) ||
    (sizes.length === 2 && sizes[0] === -1 && sizes[1] === width) ||
    (sizes.length === 2 && sizes[0] === 0 && (sizes[1] === -1 || sizes[1] === width));
  return only !== undefined && keeps ? [only] : beyond(`it goes through ${node.operator} to another shape`);
};

/** A link of all columns of a row, which is the last axis. */
const link =
  (name: Link): Step =>
  ({ node, traced: [only] }) => {
    const axis = node.attributes.get('axis')?.integer ?? -1;
    if (axis !== 1 && axis !== -1) return beyond(`it goes through ${node.operator} along axis ${axis}`);
    const margin = only === undefined ? undefined : asMargin(only);
    if (margin === undefined) return beyond(`it goes through ${node.operator}`);
    return [{ ...margin, links: [...margin.links, name] }];
  };

/** Probabilities of classes that are made to add up to 1. */
const normalizer: Step = (inputs) => {
  const [only] = inputs.traced;
  if (inputs.node.attributes.get('norm')?.text !== 'L1' || only?.kind !== 'margin' || only.links.length === 0)
    return beyond('it goes through Normalizer');
  return link('share')(inputs);
};

/** The columns themselves as a margin that weighs each by 1. */
export function asMargin(traced: Traced): Margin | undefined {
  if (traced.kind === 'margin') return traced;
  if (traced.kind === 'beyond') return undefined;
  const { columns } = traced;
  return {
    kind: 'margin',
    parts: { of: 'columns', columns },
    weights: columns.map((_, row) => Float64Array.from(columns, (_each, place) => Number(place === row))),
    constants: columns.map(() => 0),
    links: [],
  };
}

/** By operator. */
export const steps: ReadonlyMap<string, Step> = new Map<string, Step>([
  ['Identity', same],
  // What goes into it stands for it; see zip-map.ts.
  ['ZipMap', same],
  ['Cast', cast],
  ['Concat', concat],
  ['Reshape', reshape],
  ['Sigmoid', link('logistic')],
  ['Softmax', link('softmax')],
  ['Normalizer', normalizer],
  ...constantSteps,
  ...linearSteps,
  ...treeSteps,
]);
