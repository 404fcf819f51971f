import { httpPatientIndex } from './entrances/cohort/http-patient-index.ts';
import { openCohortSource } from './entrances/cohort/open-cohort-source.ts';
import { requireFittingCohort } from './entrances/cohort/require-fitting-cohort.ts';
import { storePatientIndex } from './entrances/cohort/store-patient-index.ts';
import { createFhirClient } from './fhir/client/fhir-client.ts';
import type { StudyIndex } from './fhir/studies/study-index.ts';
import type { Catalog } from './model-catalog/catalog.ts';
import { readsImages } from './model-catalog/reads-images.ts';
import type { Config } from './platform/config.ts';
import type { Database } from './platform/database.ts';
import { PredictionError } from './platform/errors.ts';
import type { PredictionParts } from './prediction/prediction-parts.ts';
import { refuseDemonstration } from './prediction/refuse-demonstration.ts';
import { refuseOthers } from './prediction/refuse-others.ts';
import { withRecordsOf } from './prediction/with-records-of.ts';
import type { CohortSource } from './runs/cohort-source.ts';
import { openRuns, type Runs } from './runs/open-runs.ts';
import { versionsOfUnfinishedRuns } from './runs/run-table.ts';
import { readSchedules } from './runs/schedules/read-schedules.ts';
import type { House } from './wire.ts';
import type { RecordServerParts } from './wire-record-server.ts';

/** Patients that a search at another server may give. */
const largestCohort = 1_000_000;

/**
 * Members of a run whose records are read at once: a slice. A crash repeats no more than two of them.
 * The embedded database has one session: the bedside waits for a whole slice, so that it is a small one.
 */
export const runSliceSize = { pglite: 8, postgresql: 48 } as const;

/** Of a model that reads images: each member holds the pixels of a study, and waits for the same few threads as all the others. */
const imagesSliceSize = 2;

/** Cohorts of the own store. @param studies absent: of patients only */
export function storeCohorts(
  { siteTimeZone }: Pick<Config, 'siteTimeZone'>,
  { repository, prediction: { source } }: Pick<House, 'repository' | 'prediction'>,
  studies?: StudyIndex,
): CohortSource {
  const index = storePatientIndex(repository, [source.base, ...(source.earlierBases ?? [])]);
  return openCohortSource(index, siteTimeZone, studies);
}

/**
 * Cohorts of a FHIR server. Its searches are asked to be strict: an ignored parameter would widen a cohort.
 * @param studies absent: of patients only
 */
export function httpCohorts(
  { fhirTimeoutMs, siteTimeZone }: Config,
  base: string,
  { outbound, credentials }: Pick<RecordServerParts, 'outbound' | 'credentials'>,
  opened: (close: () => Promise<void>) => void,
  studies?: StudyIndex,
): CohortSource {
  const headers = { prefer: 'handling=strict' };
  const client = createFhirClient({
    base,
    outbound,
    credentials,
    timeoutMs: fhirTimeoutMs,
    maxResources: largestCohort,
    headers,
  });
  opened(() => client.close());
  return openCohortSource(httpPatientIndex(client), siteTimeZone, studies);
}

/** Cohort runs over the record source. */
export async function openRunsOf(
  config: Config,
  house: Pick<House, 'database' | 'repository' | 'studies' | 'catalog' | 'prediction' | 'predict' | 'sealing'> & {
    /** The path of the members: nobody at a bedside waits for what it reads and writes. */
    readonly members: PredictionParts;
    readonly server: Pick<RecordServerParts, 'outbound' | 'credentials'>;
  },
  opened: (close: () => Promise<void>) => void,
): Promise<Runs> {
  const { database, prediction, members } = house;
  const cohorts =
    config.fhirBaseUrl === undefined
      ? storeCohorts(config, house, house.studies)
      : httpCohorts(config, config.fhirBaseUrl, house.server, opened, house.studies);
  const { findModel } = prediction;
  const schedules = await readSchedules(config.schedulesFile, {
    checkModel: (id, version) => describeKnown(house.catalog, id, version),
    checkFit: ({ model, version, cohort }) => {
      const known = describeKnown(house.catalog, model, version);
      if (known !== undefined) requireFittingCohort(known, cohort);
    },
    checkSearch: (cohort) => cohorts.check(cohort),
  });
  const runs = openRuns({
    database,
    tenant: config.tenant,
    fhirBase: prediction.subjectBase,
    clock: prediction.clock,
    event: prediction.event,
    predict: (request, parts = members) => house.predict(request, parts),
    recordsOf: (subjects, { id, version }, asOf) =>
      withRecordsOf(members, subjects, findModel(id, version).queriesAt(asOf)),
    findModel: (id, version) => {
      const { manifest, digest } = findModel(id, version);
      return { id: manifest.id, version: manifest.version, digest };
    },
    checkWriteBack: ({ id, version }) => {
      const model = findModel(id, version);
      refuseDemonstration(prediction, model.manifest);
      refuseOthers(model);
    },
    checkCohort: ({ id, version }, cohort) => requireFittingCohort(house.catalog.describe(id, version), cohort),
    timeZone: config.siteTimeZone,
    cohorts,
    cipher: house.sealing.work,
    schedules,
    every: (ms, work) => {
      const timer = setInterval(work, ms);
      return () => clearInterval(timer);
    },
    chunkSize: config.runChunkSize,
    sliceSizeOf: ({ id, version }) =>
      readsImages(house.catalog.describe(id, version)) ? imagesSliceSize : runSliceSize[database.kind],
    overlap: prediction.source.own,
    memberTimeoutMs: config.predictTimeoutMs,
    unreachableRetryMs: [500, 2_000, 5_000],
    unreachableAttempts: 20,
    alone: database.kind === 'pglite',
    pollMs: 2_000,
    leaseMs: 10_000,
  });
  opened(() => runs.close());
  return runs;
}

/**
 * What a version says of itself. Throws MODEL_UNKNOWN; undefined for one that is not ready: a folder that was refused, a kill switch or a missing
 * default must not keep the server from starting.
 */
function describeKnown(catalog: Pick<Catalog, 'describe'>, id: string, version?: string) {
  try {
    return catalog.describe(id, version);
  } catch (error) {
    if (!(error instanceof PredictionError) || error.code !== 'MODEL_NOT_READY') throw error;
    return undefined;
  }
}

/** Versions (`id@version`) that runs go on with, in words: one run is one version. */
export async function versionsInRuns(
  database: Database,
  tenant: string,
  fhirBase: string,
): Promise<ReadonlyMap<string, string>> {
  const found = await versionsOfUnfinishedRuns(database, tenant, fhirBase);
  return new Map([...found].map(([key, run]) => [key, `the run ${run} goes on with it`]));
}
