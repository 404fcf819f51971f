import type { BatchGrade, EngineReport } from '../model-catalog/engine-report.ts';
import type { GraphModel } from './graph-model.ts';
import type { ModelSession } from './model-session.ts';
import { runCost } from './queue/run-cost.ts';
import { createRunQueue, type QueueOptions } from './queue/run-queue.ts';
import { runsAsServed } from './trial/time-runs.ts';
import type { Trial } from './trial/try-model.ts';

export interface OpenedGraph extends GraphModel {
  readonly report: EngineReport;
  release(): Promise<void>;
}

export interface ServedGraphOptions extends Pick<QueueOptions, 'sharesFate'> {
  /** `id@version`, for messages. */
  readonly key: string;
  /** How long one joint run may take, in milliseconds. */
  readonly longestJointMs: number;
  /** What the trial does not know. */
  readonly report: Omit<EngineReport, 'openMs' | 'runs' | 'batches'>;
}

/** An opened session behind a queue, with rows together as the trial found that they may be. */
export function servedGraph(session: ModelSession, trial: Trial, options: ServedGraphOptions): OpenedGraph {
  const { key, longestJointMs, report, sharesFate } = options;
  const { inputs, outputs, freeRows, openMs, batches, mostRows, graded } = trial;
  const runs = runsAsServed(trial.runs, batches);
  const cost = runCost(runs, batches.grade === 'padded' ? batches.padTo : 1);
  const mostWithin = cost.rowsWithin(longestJointMs);
  const joint = freeRows ? jointRuns(batches, Math.min(mostRows, mostWithin)) : undefined;
  const queue = createRunQueue(session, {
    key,
    cost,
    ...(joint === undefined ? {} : { joint }),
    ...(sharesFate === undefined ? {} : { sharesFate }),
  });
  return {
    key,
    inputs,
    outputs,
    freeRows,
    graded,
    // They cannot be run in parts; elsewhere they keep only those waiting who ask for the same model.
    ...(report.place === 'inline' && freeRows ? { mostUngraded: mostWithin } : {}),
    queue,
    report: { ...report, openMs, runs, batches },
    async release() {
      await queue.close();
      await session.release();
    },
  };
}

/** How rows may run together by their grade; those that change each other run one by one. */
function jointRuns(batches: BatchGrade, mostRows: number): NonNullable<QueueOptions['joint']> {
  if (batches.grade === 'single') return { mostRows: 1, padTo: 1 };
  return { mostRows, padTo: batches.grade === 'padded' ? batches.padTo : 1 };
}
