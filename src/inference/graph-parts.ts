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

const usualLimits: ProcessLimits = { memoryMb: 4096, environment: {} };
/** About how long timing a model may take, and grading it again, in milliseconds. */
const trialBudgetMs = 150;

/** Where graphs are tried and run on this machine; `close` ends all of it, once what runs has ended. */
export function createGraphParts(options: GraphPartsOptions = {}): GraphParts & { close(): Promise<void> } {
  const { limits = usualLimits, stuckAfterMs = 60_000, trialTimeoutMs = 120_000 } = options;
  const trials = options.triesApart === true ? createTrialProcess(limits, trialTimeoutMs) : undefined;
  const threads = createThreadHost();
  const processes = createProcessHost(limits);
  return {
    try: trials === undefined ? (request) => tryModel(openOnnxSession, request) : (request) => trials.try(request),
    threads,
    processes,
    cores: availableParallelism(),
    trialBudgetMs,
    stuckAfterMs,
    lost: options.lost ?? (() => undefined),
    async close() {
      await Promise.all([trials?.close(), threads.close(), processes.close()]);
    },
  };
}
