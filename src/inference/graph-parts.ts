import { availableParallelism } from 'node:os';
import { openOnnxSession } from './onnx-session.ts';
import type { GraphParts } from './open-graph.ts';
import { createProcessHost, createThreadHost } from './sessions/apart-host.ts';
import type { ProcessLimits } from './sessions/process-channel.ts';
import { createTrialProcess } from './trial/trial-process.ts';
import { tryModel } from './trial/try-model.ts';

export interface GraphPartsOptions {
  /** True: graphs are tried in a process of their own; false: in this thread, which they block and can take down. */
  readonly triesApart?: boolean;
  /** For the processes of the engine; absent: 4096 MB and an empty environment. */
  readonly limits?: ProcessLimits;
  /** A run that takes longer, in milliseconds, will not end; absent: 60,000. */
  readonly stuckAfterMs?: number;
  /** A trial that takes longer, in milliseconds, will not end; absent: 120,000. */
  readonly trialTimeoutMs?: number;
  /** Told when what runs a model crashed or was given up. */
  readonly lost?: GraphParts['lost'];
}

/** Memory that a process of the engine may fill on the CPU, in megabytes. */
export const usualMemoryMb = 4096;
const usualLimits: ProcessLimits = { memoryMb: usualMemoryMb, environment: {} };
/** About how long timing a model may take, and grading it again, in milliseconds. */
const trialBudgetMs = 150;

/** Where graphs are tried and run on this machine; `close` ends all of it, once what runs has ended. */
export function createGraphParts(options: GraphPartsOptions = {}): GraphParts & { close(): Promise<void> } {
  const { limits = usualLimits, stuckAfterMs = 60_000, trialTimeoutMs = 120_000 } = options;
  const trials = options.triesApart === true ? createTrialProcess(limits, trialTimeoutMs) : undefined;
  // Their libraries abort and hang, so that nothing is tried on them in this process; their drivers map far more memory
  // than they fill, so that theirs is not limited.
  const deviceTrials = createTrialProcess({ environment: limits.environment }, trialTimeoutMs);
  const threads = createThreadHost();
  const processes = createProcessHost(limits);
  return {
    try(request) {
      if (request.session.provider !== 'cpu') return deviceTrials.try(request);
      return trials === undefined ? tryModel(openOnnxSession, request) : trials.try(request);
    },
    async use(request, work) {
      if (request.provider !== 'cpu') return await deviceTrials.use(request, work);
      if (trials !== undefined) return await trials.use(request, work);
      const session = await openOnnxSession(request);
      try {
        await work(session);
      } finally {
        await session.release();
      }
    },
    threads,
    processes,
    cores: availableParallelism(),
    trialBudgetMs,
    stuckAfterMs,
    lost: options.lost ?? (() => undefined),
    async close() {
      await Promise.all([trials?.close(), deviceTrials.close(), threads.close(), processes.close()]);
    },
  };
}
