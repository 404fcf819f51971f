import type { BatchGrade } from '../../model-catalog/engine-report.ts';
import { numericData, shapeText, type Tensor, type TensorForm, type Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import { formMisfit } from '../form-misfit.ts';
import type { EngineModel } from '../inference-engine.ts';
import type { ModelSession, SessionRequest } from '../model-session.ts';
import { type GradedBatches, gradeBatches, oneByOne } from './grade-batches.ts';
import { type Likeness, probeRows, type Samples } from './probe-rows.ts';
import { type TimedRun, timeRuns, withRunOf, workOf } from './time-runs.ts';
import { hasVectorOperators } from './vector-operators.ts';

export interface TrialRequest {
  readonly session: SessionRequest;
  /** What the manifest declares, where there is one. */
  readonly declared?: Pick<EngineModel, 'inputs' | 'outputs'>;
  /** Tensors for each input whose first dimension counts the same rows, at least one; absent: ones, and texts that are empty. */
  readonly samples?: Tensors;
  /** About how long running it may take, in milliseconds, for the timing and again for the grading. */
  readonly budgetMs: number;
}

/** What was learnt of a graph by opening and running it. */
export interface Trial {
  readonly openMs: number;
  readonly inputs: readonly TensorForm[];
  readonly outputs: readonly TensorForm[];
  readonly otherOutputs: readonly string[];
  /** The first size of every input and of each wanted output is free: it counts rows. */
  readonly freeRows: boolean;
  /**
   * By their rows, that of a lone row as it is served among them (see runsAsServed); empty where it could not be run: no samples
   * were given and made-up ones do not fit.
   */
  readonly runs: readonly TimedRun[];
  readonly batches: BatchGrade;
  /** The outputs that were graded. */
  readonly graded: readonly string[];
  /** The most rows that were found to run together as graded; as few as one run has at least where more of them gain nothing. */
  readonly mostRows: number;
}

/** Only a graph that takes longer to open, in milliseconds, and not far longer, is opened again to learn how long that takes. */
const openAgain = { fromMs: 10, toMs: 1_000 } as const;
/**
 * Of different rows: a quick graph is graded with as many however busy the machine is, or its grade would be a matter of
 * luck; filled up to whole vectors they depend less on it.
 */
const mostProbes = { asTheyAre: 256, filled: 64 } as const;
const quickMs = 1;
const fewestRows = 8;
/** A row that takes longer, in milliseconds, runs by itself: a trial that compared batches would go on for minutes. */
const longestRowMs = 200;
/** Where filling up makes a lone row as many times as much work, and that is more than this, in milliseconds, it is too dear. */
const tooDear = { times: 4, fromMs: 20 } as const;
/** Where two rows take as many times as long as one and that is longer than this, in milliseconds, rows do not run together: nobody gains. */
const noGain = { times: 1.6, fromMs: 25 } as const;
/**
 * Bytes of the inputs of a joint run, and of the rows of a trial: what is joined is copied where all wait for it. Rows of which not
 * even two fit run by themselves.
 */
const mostBytes = { joint: 2 ** 21, trial: 2 ** 26 } as const;
/** From the hardest to the mildest: what was made up may be nothing that the graph can take. */
const likenesses: readonly Likeness[] = ['anything', 'near', 'drawn'];

/**
 * Opens a graph, times it, finds out whether rows change each other, and releases it.
 * Throws MODEL_INVALID where it does not open or is not as the manifest declares, INFERENCE_FAILED where it fails on the samples that were given.
 */
export async function tryModel(
  open: (request: SessionRequest) => Promise<ModelSession>,
  request: TrialRequest,
): Promise<Trial> {
  let { session, openMs } = await timedOpen(open, request.session);
  try {
    for (let opened = 1; openMs > openAgain.fromMs && openMs < openAgain.toMs && opened < 3; opened++) {
      // The first graph of a process waits for ONNX Runtime itself, and a busy machine is not the graph's fault.
      await session.release();
      const again = await timedOpen(open, request.session);
      session = again.session;
      openMs = Math.min(openMs, again.openMs);
    }
    const misfit = request.declared && formMisfit(request.declared, session);
    if (misfit !== undefined) throw invalid(request, misfit);
    return { openMs, ...forms(session), ...(await tryRuns(session, request)) };
  } finally {
    await session.release();
  }
}

async function timedOpen(
  open: (request: SessionRequest) => Promise<ModelSession>,
  request: SessionRequest,
): Promise<{ session: ModelSession; openMs: number }> {
  const started = performance.now();
  const session = await open(request);
  return { session, openMs: performance.now() - started };
}

function forms({ inputs, outputs, otherOutputs }: ModelSession): Pick<Trial, 'inputs' | 'outputs' | 'otherOutputs'> {
  return { inputs, outputs, otherOutputs };
}

async function tryRuns(
  session: ModelSession,
  request: TrialRequest,
): Promise<Pick<Trial, 'freeRows' | 'runs' | 'batches' | 'mostRows' | 'graded'>> {
  const wanted = (request.declared ?? session).outputs.map(({ name }) => name);
  const samples: Samples =
    request.samples === undefined
      ? { tensors: madeUpSample(session.inputs), madeUp: true }
      : { tensors: request.samples, madeUp: false };
  try {
    const mostRows = Math.floor(mostBytes.trial / rowBytes(samples.tensors));
    const free = hasFreeRows(session, wanted) && (await keepsRows(session, samples, wanted, request));
    const runs = await timeRuns(session, { ...samples, free, mostRows }, wanted, request.budgetMs);
    const { batches, largest } = free ? await gradeLikely(session, samples, wanted, { ...request, runs }) : oneByOne;
    const padTo = batches.grade === 'padded' ? batches.padTo : 1;
    return {
      freeRows: free,
      runs: padTo === 1 ? runs : await withRunOf(padTo, runs, session, samples, wanted),
      batches,
      // Those that fill up a run cost nothing more.
      mostRows: Math.min(gainsNothing(runs) ? Math.min(largest, padTo) : largest, rowsOfBytes(samples.tensors, padTo)),
      graded: wanted,
    };
  } catch (error) {
    if (request.samples !== undefined || !isFailedRun(error)) throw error;
    // Made-up values may be none that the graph can take: nothing is known then, and nothing is assumed.
    return { freeRows: false, runs: [], batches: oneByOne.batches, mostRows: oneByOne.largest, graded: [] };
  }
}

/** Grades with rows as unlike the samples as the graph takes them: those that are all alike would tell nothing. */
async function gradeLikely(
  session: ModelSession,
  samples: Samples,
  wanted: readonly string[],
  { session: { artefact, threads }, budgetMs, runs }: TrialRequest & Pick<Trial, 'runs'>,
): Promise<GradedBatches> {
  const rowMs = runs[0]?.ms ?? 0;
  const bytes = rowBytes(samples.tensors);
  if (2 * bytes > mostBytes.joint) return oneByOne;
  const fillsVectors = hasVectorOperators(artefact, session.inputs);
  // Several threads share the numbers among them wherever it suits them: no filling up keeps vectors whole.
  if (rowMs > longestRowMs || (fillsVectors && threads > 1)) return oneByOne;
  const most = fillsVectors ? mostProbes.filled : mostProbes.asTheyAre;
  const affordable = Math.max(fewestRows, Math.floor(budgetMs / (4 * rowMs)));
  const rows = Math.min(rowMs <= quickMs ? most : Math.min(most, affordable), Math.floor(mostBytes.trial / bytes));
  const isTooDear = async (padTo: number): Promise<boolean> => {
    if (padTo * bytes > mostBytes.joint) return true;
    const filled = await workOf(padTo, session, samples, wanted);
    return filled > tooDear.fromMs && filled > tooDear.times * (await workOf(1, session, samples, wanted));
  };
  for (const likeness of likenesses) {
    try {
      const probes = probeRows(samples, rows, 1, likeness);
      return await gradeBatches(session, probes, wanted, { budgetMs, fillsVectors, isTooDear });
    } catch (error) {
      if (!isFailedRun(error)) throw error;
    }
  }
  return oneByOne;
}

/** How many rows a joint run may have for their bytes: filled up to a multiple, which fits. */
function rowsOfBytes(samples: Tensors, padTo: number): number {
  return Math.max(1, Math.floor(mostBytes.joint / rowBytes(samples) / padTo)) * padTo;
}

/** Of a text eight bytes are counted. At least one. */
function rowBytes(samples: Tensors): number {
  let bytes = 0;
  for (const { dims, data } of samples.values())
    bytes += (ArrayBuffer.isView(data) ? data.byteLength : 8 * data.length) / (dims[0] ?? 1);
  return Math.max(1, bytes);
}

function gainsNothing([one, two]: Trial['runs']): boolean {
  return one !== undefined && two !== undefined && one.ms > noGain.fromMs && two.ms > noGain.times * one.ms;
}

function isFailedRun(error: unknown): boolean {
  return error instanceof PredictionError && error.code === 'INFERENCE_FAILED';
}

/** True where the first size of every input and of each wanted output is free. */
function hasFreeRows(session: ModelSession, wanted: readonly string[]): boolean {
  const outputs = session.outputs.filter(({ name }) => wanted.includes(name));
  return session.inputs.length > 0 && [...session.inputs, ...outputs].every(({ shape }) => shape[0] === null);
}

/**
 * True where three rows go in and three come out. A graph that is declared to have rows and gives another number of them
 * cannot be served: nobody could tell whose they are.
 */
async function keepsRows(
  session: ModelSession,
  samples: Samples,
  wanted: readonly string[],
  request: TrialRequest,
): Promise<boolean> {
  const rows = 3;
  const outputs = await session.run(probeRows(samples, rows, 1, 'drawn'), wanted);
  for (const [name, { dims }] of outputs) {
    if (dims[0] === rows) continue;
    if (request.declared === undefined) return false;
    throw invalid(request, `model.onnx: output ${name} is ${shapeText(dims)} for ${rows} rows`);
  }
  return true;
}

function invalid({ session }: TrialRequest, reason: string): PredictionError {
  return new PredictionError('MODEL_INVALID', `Model ${session.key} is refused: ${reason}.`);
}

/** Ones, or empty texts, of the declared form with every free size 1. */
function madeUpSample(inputs: readonly TensorForm[]): Tensors {
  return new Map(
    inputs.map(({ name, type, shape }): [string, Tensor] => {
      const dims = shape.map((size) => size ?? 1);
      const count = dims.reduce((product, size) => product * size, 1);
      if (type === 'string') return [name, { type, dims, data: Array.from({ length: count }, () => '') }];
      const data = numericData(type, count);
      const one = type === 'float16' ? 0x3c00 : 1;
      for (let index = 0; index < count; index++)
        data[index] = data instanceof BigInt64Array || data instanceof BigUint64Array ? 1n : one;
      return [name, { type, dims, data }];
    }),
  );
}
