import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { keepOnce, readSetting } from '../platform/settings-table.ts';
import type { House } from '../wire.ts';
import { generateSamplePatients } from './sample-patients/generate-sample-patients.ts';

/** The seed of the patients of a first start. */
export const defaultSampleSeed = 1;
const key = 'sample-patients';

/** How many patients are stored in one transaction. */
const patientsAtOnce = 25;

/**
 * Loads the synthetic patients of a first start: into the embedded own store only, once, and only while it holds no
 * patient. A start that was killed in the middle goes on where it stopped.
 */
export async function loadSamplePatientsOnce(
  house: House,
  config: Config,
  clock: Clock,
  logger: Logger,
): Promise<void> {
  const { database } = house;
  if (config.samplePatients === 0 || database.kind !== 'pglite' || config.fhirBaseUrl !== undefined) return;
  const begun = await readSetting<SampleLoad>(database, config.tenant, key);
  if (begun === undefined && (await holdsPatients(house))) return;
  const load = await keepOnce<SampleLoad>(database, config.tenant, key, {
    patients: config.samplePatients,
    seed: defaultSampleSeed,
    referenceDate: clock.now().toISOString().slice(0, 10),
  });
  const done = await readSetting<boolean>(database, config.tenant, `${key}-done`);
  if (done === true) return;
  logger.event({ name: 'sample.load-started', patients: load.patients });
  const started = performance.now();
  const { patients, resources } = await loadSamplePatients(house, load);
  await keepOnce(database, config.tenant, `${key}-done`, true);
  logger.event({ name: 'sample.loaded', patients, resources, loadMs: performance.now() - started });
}

/** What was asked for, kept so that a killed load goes on with the same patients. */
export interface SampleLoad {
  readonly patients: number;
  readonly seed: number;
  /** YYYY-MM-DD */
  readonly referenceDate: string;
}

/** Stores synthetic patients; what is there already under the same id stays. @returns how many patients and new resources */
export async function loadSamplePatients(
  house: House,
  { patients, seed, referenceDate }: SampleLoad,
): Promise<{ patients: number; resources: number }> {
  let resources = 0;
  let batch: Parameters<House['repository']['writeAll']>[0][number][] = [];
  let inBatch = 0;
  const flush = async (): Promise<void> => {
    resources += await house.repository.writeAll(batch);
    batch = [];
    inBatch = 0;
  };
  for (const record of generateSamplePatients({ patients, seed, referenceDate: new Date(referenceDate) })) {
    batch.push(...record);
    inBatch += 1;
    if (inBatch === patientsAtOnce) await flush();
  }
  await flush();
  return { patients, resources };
}

async function holdsPatients({ repository }: House): Promise<boolean> {
  for await (const page of repository.findResources({ type: 'Patient' }, 1)) return page.length > 0;
  return false;
}
