import type { Database } from '../platform/database.ts';
import type { LogEvent } from '../platform/events.ts';
import { type JobQueue, openJobQueue, type TakenJob } from './job-queue.ts';
import type { Chunk } from './member-table.ts';

/** What one job is about: a chunk of a run's members, or, without one, reading the cohort. */
export interface RunJobData {
  readonly run: string;
  readonly chunk?: Chunk;
}

export type RunJob = TakenJob<RunJobData>;

/** The jobs of the runs on one FHIR base. */
export type RunQueue = JobQueue<RunJobData>;

/** Opens the queue of the runs on one FHIR base. */
export function openRunQueue(
  database: Database,
  base: { readonly tenant: string; readonly fhirBase: string },
  event: (event: LogEvent) => void,
): Promise<RunQueue> {
  const keyOf = ({ run, chunk }: RunJobData): string => `${run} ${chunk?.from ?? 'cohort'}`;
  return openJobQueue<RunJobData>(database, { ...base, kind: 'runs', keyOf, aboutProperty: 'run' }, event);
}
