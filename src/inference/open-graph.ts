import type { DeviceReport, EngineReport } from '../model-catalog/engine-report.ts';
import type { Tensors } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import { choosePlace } from './choose-place.ts';
import { hasExternalData } from './external-data.ts';
import type { EngineModel } from './inference-engine.ts';
import type { ModelSession, Provider, SessionRequest } from './model-session.ts';
import { runtimeVersion } from './onnx-runtime.ts';
import { openOnnxSession } from './onnx-session.ts';
import { type OpenedGraph, servedGraph } from './served-graph.ts';
import type { ApartHost } from './sessions/apart-host.ts';
import { lastingSession } from './sessions/lasting-session.ts';
import { runsAsServed } from './trial/time-runs.ts';
import type { Trial, TrialRequest } from './trial/try-model.ts';

/** A graph that is to be served. */
export interface GraphRequest {
  /** `id@version`, for messages. */
  readonly key: string;
  readonly artefact: Uint8Array;
  /** What the manifest declares, where there is one. */
  readonly declared?: Pick<EngineModel, 'inputs' | 'outputs'>;
  /** See TrialRequest.samples. */
  readonly samples?: Tensors;
  /** The site does not trust it. */
  readonly isolated: boolean;
  readonly device: DeviceReport;
  /** See EngineModel.prove. */
  readonly prove?: (graph: OpenedGraph) => Promise<void>;
}

/** Where graphs can be tried and run. */
export interface GraphParts {
  try(request: TrialRequest): Promise<Trial>;
  /** Opens a graph where it is tried, for as long as the work takes. */
  use(request: SessionRequest, work: (session: ModelSession) => Promise<void>): Promise<void>;
  readonly threads: ApartHost;
  readonly processes: ApartHost;
  /** Cores of this machine. */
  readonly cores: number;
  readonly trialBudgetMs: number;
  readonly stuckAfterMs: number;
  /** Told when what runs a model crashed or was given up. */
  lost(key: string, place: EngineReport['place'], reason: string): void;
}

/**
 * How long one joint run may take, in milliseconds: in the main thread nobody else has a turn meanwhile. Where one row takes
 * longer by itself, those that join it may double it.
 */
const longestJointMs = { inline: 5, apart: 50 } as const;
/** A graph that takes as long for one row, in milliseconds, is tried with more threads, which must make it this much faster. */
const threading = { fromMs: 5, most: 4, gain: 1.5 } as const;

/**
 * Looks at the bytes, tries the graph and proves it apart from everything, and opens it where it belongs.
 * Throws MODEL_INVALID, INFERENCE_FAILED where it fails on its samples, and what proving throws.
 */
export async function openGraph(parts: GraphParts, request: GraphRequest): Promise<OpenedGraph> {
  refuseExternalData(request);
  const session: SessionRequest = {
    key: request.key,
    artefact: request.artefact,
    provider: providerOf(request.device),
    threads: 1,
  };
  const { trial, threads } = await tryThreads(parts, {
    session,
    budgetMs: parts.trialBudgetMs,
    ...(request.samples === undefined ? {} : { samples: request.samples }),
    ...(request.declared === undefined ? {} : { declared: request.declared }),
  });
  const { place, because } = choosePlace(trial, { provider: session.provider, isolated: request.isolated });
  const served = (opened: ModelSession): OpenedGraph =>
    servedGraph(opened, trial, {
      key: request.key,
      longestJointMs:
        place === 'inline'
          ? longestJointMs.inline
          : Math.max(longestJointMs.apart, 2 * (runsAsServed(trial.runs, trial.batches)[0]?.ms ?? 0)),
      report: {
        place,
        because,
        runtime: `onnxruntime ${runtimeVersion}`,
        threads,
        device: request.device,
      },
    });
  const { prove } = request;
  // A process of its own is where it can be proved as it serves.
  if (prove !== undefined && place !== 'process')
    await parts.use({ ...session, threads }, (opened) => prove(served(opened)));
  const graph = served(await openAt(parts, place, { ...session, threads }));
  if (prove !== undefined && place === 'process') await provedThere(graph, prove);
  return graph;
}

async function provedThere(graph: OpenedGraph, prove: (graph: OpenedGraph) => Promise<void>): Promise<void> {
  try {
    await prove(graph);
  } catch (error) {
    await graph.release();
    throw error;
  }
}

function refuseExternalData({ key, artefact }: GraphRequest): void {
  const refused = (reason: string, cause?: unknown): PredictionError =>
    new PredictionError('MODEL_INVALID', `Model ${key} is refused: ${reason}.`, { cause });
  let external: boolean;
  try {
    external = hasExternalData(artefact);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw refused(`model.onnx is not an ONNX model: ${cause.message}`, cause);
  }
  if (external) throw refused('model.onnx keeps tensors in other files (external data); save it as one file');
}

function providerOf({ provider }: DeviceReport): Provider {
  if (provider === 'remote') throw new PredictionError('INTERNAL', 'A remote model has no graph to open here.');
  return provider;
}

/** With one thread, or with more where that is worth it: more spin on cores that others could use. */
async function tryThreads(parts: GraphParts, request: TrialRequest): Promise<{ trial: Trial; threads: number }> {
  const trial = await parts.try(request);
  const threads = Math.min(threading.most, parts.cores - 1);
  const oneMs = trial.runs[0]?.ms ?? 0;
  if (request.session.provider !== 'cpu' || threads < 2 || oneMs < threading.fromMs) return { trial, threads: 1 };
  const more = await parts.try({ ...request, session: { ...request.session, threads } });
  const moreMs = more.runs[0]?.ms ?? oneMs;
  return moreMs * threading.gain <= oneMs ? { trial: more, threads } : { trial, threads: 1 };
}

async function openAt(parts: GraphParts, place: EngineReport['place'], request: SessionRequest): Promise<ModelSession> {
  if (place === 'inline') return await openOnnxSession(request);
  const host = place === 'thread' ? parts.threads : parts.processes;
  return lastingSession(await host.open(request), {
    key: request.key,
    // A thread that hangs cannot be ended: whatever made it hang may only do so again where it can.
    open: (stuck) => (stuck ? parts.processes : host).open(request),
    stuckAfterMs: parts.stuckAfterMs,
    lost: (reason) => parts.lost(request.key, place, reason),
  });
}
