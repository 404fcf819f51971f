import type { RunOptions } from '../model-catalog/run-options.ts';
import { formMisfit, type Tensor, type TensorForm, type Tensors, tensorFault } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import { tensorRows } from './queue/join-rows.ts';
import type { RunQueue } from './queue/run-queue.ts';

/** An opened graph with its queue. */
export interface GraphModel {
  readonly key: string;
  readonly inputs: readonly TensorForm[];
  readonly outputs: readonly TensorForm[];
  /** True where the first size of all inputs and outputs counts rows. */
  readonly freeRows: boolean;
  /** Outputs of which it is known how their rows fare in company; of the others nothing is. */
  readonly graded: readonly string[];
  /** Rows of one call for other outputs at most: it runs whole, and nobody else has a turn meanwhile; absent: any. */
  readonly mostUngraded?: number;
  readonly queue: RunQueue;
}

/** See LoadedModel.infer. */
export async function inferTensors(
  graph: GraphModel,
  feeds: Tensors,
  wanted: readonly string[] | undefined,
  options: RunOptions,
): Promise<Tensors> {
  checkFeeds(graph, feeds);
  const names = wanted ?? graph.outputs.map(({ name }) => name);
  const unknown = names.find((name) => !graph.outputs.some((output) => output.name === name));
  if (unknown !== undefined || names.length === 0)
    throw invalid(graph, `has no output ${unknown ?? 'that was asked for'}; it has: ${namesOf(graph.outputs)}`);
  const rows = rowsOf(graph, feeds);
  const kind = kindOf(graph, feeds, names);
  if (kind === undefined) refuseLong(graph, names, rows);
  return await graph.queue.run({ input: feeds, form: tensorRows, wanted: names, rows, kind }, options);
}

function refuseLong(graph: GraphModel, wanted: readonly string[], rows: number): void {
  const { outputs, graded, mostUngraded = Number.POSITIVE_INFINITY } = graph;
  if (rows <= mostUngraded) return;
  const others = wanted.filter((name) => !graded.includes(name));
  const way = `Ask for at most ${mostUngraded} rows at a time, or only for ${namesOf(outputs.filter(({ name }) => graded.includes(name)))}`;
  throw invalid(
    graph,
    `was asked for ${rows} rows with ${others.join(', ')}, which can only be worked out in one run that would keep all others waiting. ${way}`,
  );
}

function checkFeeds(graph: GraphModel, feeds: Tensors): void {
  for (const name of feeds.keys()) {
    if (!graph.inputs.some((input) => input.name === name))
      throw invalid(graph, `has no input ${name}; it has: ${namesOf(graph.inputs)}`);
  }
  for (const form of graph.inputs) {
    const tensor = feeds.get(form.name);
    if (tensor === undefined)
      throw invalid(graph, `needs a tensor for each of its inputs, ${namesOf(graph.inputs)}; ${form.name} is missing`);
    const fault = tensorFault(tensor) ?? formMisfit(tensor, form) ?? textFault(tensor);
    if (fault !== undefined) throw invalid(graph, `cannot take this tensor: input ${form.name} ${fault}`);
  }
}

/** ONNX Runtime takes texts up to the first NUL, and half a character as another one: the model would get something else. */
function textFault({ type, data }: Tensor): string | undefined {
  const index = type === 'string' ? data.findIndex((text) => text.includes('\0') || !text.isWellFormed()) : -1;
  return index < 0 ? undefined : `has a text (${index}) that holds NUL or is no valid Unicode`;
}

/** How many rows all feeds have; 1 where rows are not what the first size counts. */
function rowsOf(graph: GraphModel, feeds: Tensors): number {
  if (!graph.freeRows) return 1;
  const counts = new Set([...feeds.values()].map(({ dims }) => dims[0] ?? 0));
  const [rows = 0] = counts;
  if (counts.size > 1)
    throw invalid(graph, `needs the same number of rows in each input; it was given ${[...counts].join(', ')}`);
  if (rows === 0) throw invalid(graph, 'needs at least one row');
  return rows;
}

/** undefined where an output is wanted whose rows may be anything, or may change each other: that runs by itself. */
function kindOf({ graded }: GraphModel, feeds: Tensors, wanted: readonly string[]): string | undefined {
  if (!wanted.every((name) => graded.includes(name))) return undefined;
  return JSON.stringify([wanted, [...feeds].map(([name, { type, dims }]) => [name, type, dims.slice(1)])]);
}

function namesOf(forms: readonly TensorForm[]): string {
  return forms.map(({ name }) => name).join(', ');
}

function invalid({ key }: GraphModel, reason: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', `${key} ${reason}.`);
}
