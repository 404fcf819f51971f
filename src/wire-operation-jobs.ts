import { predictWork } from './entrances/fhir-operation/predict-job.ts';
import type { Config } from './platform/config.ts';
import { type OperationJobs, openOperationJobs } from './runs/operation-jobs/open-operation-jobs.ts';
import type { House } from './wire.ts';

const minuteMs = 60_000;

/** Asynchronous operations over the record source. */
export function openOperationJobsOf(
  config: Config,
  house: Pick<House, 'database' | 'prediction' | 'predict' | 'fhirBase' | 'sealing'>,
  opened: (close: () => Promise<void>) => void,
): OperationJobs {
  const { database, prediction } = house;
  const jobs = openOperationJobs({
    database,
    tenant: config.tenant,
    fhirBase: prediction.subjectBase,
    clock: prediction.clock,
    event: prediction.event,
    work: predictWork((request) => house.predict(request), {
      timeoutMs: config.predictTimeoutMs,
      storeBase: house.fhirBase,
      now: () => prediction.clock.now(),
    }),
    cipher: house.sealing.work,
    lanes: 2,
    mostWaiting: 50,
    pollGapMs: 900,
    alone: database.kind === 'pglite',
    pollMs: 2_000,
    leaseMs: 10_000,
    overdueMs: 60 * minuteMs,
    keptMs: 60 * minuteMs,
  });
  opened(() => jobs.close());
  return jobs;
}
