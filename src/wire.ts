import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CompiledFeatureMap, compileFeatureMap } from './features/compile-feature-map.ts';
import { createFhirClient } from './fhir/client/fhir-client.ts';
import { publishDefinitions } from './fhir/store/publish-definitions.ts';
import { createSqlRepository, type SqlRepository } from './fhir/store/sql-repository.ts';
import { createResourceValidator, type ResourceValidator } from './fhir/validate-resource.ts';
import { createOnnxEngine } from './inference/onnx-engine.ts';
import { type Catalog, loadCatalog } from './model-catalog/catalog.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { describeConfig } from './platform/config.ts';
import { type DataDirLock, lockDataDir } from './platform/data-dir-lock.ts';
import type { Database, Sql } from './platform/database.ts';
import { PredictionError } from './platform/errors.ts';
import type { Logger } from './platform/logger.ts';
import { migrate } from './platform/migrate.ts';
import { allMigrations } from './platform/migrations/all-migrations.ts';
import { openDatabase } from './platform/open-database.ts';
import { keepOnce } from './platform/settings-table.ts';
import { loggedPredict } from './prediction/logged-predict.ts';
import type { PredictionOutcome } from './prediction/prediction-outcome.ts';
import type { PredictableModel, PredictionParts } from './prediction/prediction-parts.ts';
import type { PredictionRequest } from './prediction/prediction-request.ts';
import { recordTypes } from './records/clinical-record.ts';
import { createHttpRecordSource } from './records/http-record-source.ts';
import { openStoreReader } from './records/open-store-reader.ts';
import type { RecordSource } from './records/record-source.ts';
import { createStoreRecordSource, type StoreRecordSourceOptions } from './records/store-record-source.ts';
import { openSqlResultStore } from './write-back/sql-result-store.ts';
import { type OpenResultStore, writeResult } from './write-back/write-result.ts';

/** The parts of a running server, and how to close them. */
export interface House {
  readonly lock: DataDirLock;
  readonly database: Database;
  readonly repository: SqlRepository;
  readonly validator: ResourceValidator;
  readonly catalog: Catalog;
  readonly source: RecordSource;
  readonly prediction: PredictionParts;
  /** What every entrance calls: the path, logged. `parts` differ where the records of many subjects were read at once. */
  predict(request: PredictionRequest, parts?: PredictionParts): Promise<PredictionOutcome>;
  /** `<base>/fhir/R4` */
  readonly fhirBase: string;
  close(): Promise<void>;
}

export interface WireOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once the data directory is ours; resolves with the URL the server is reached under. */
  readonly listen: () => Promise<string>;
}

/** Resource types that a prediction reads or writes: their schemas are compiled before the server is ready. */
const usualTypes = [...recordTypes, 'RiskAssessment', 'Device', 'Provenance', 'Bundle', 'Parameters'];

/** Builds every part once, by hand. What was opened is closed in reverse order, also where a later part fails. */
export async function wire({ config, clock, logger, listen }: WireOptions): Promise<House> {
  const open: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (let close = open.pop(); close !== undefined; close = open.pop()) await close();
  };
  try {
    logger.event({ name: 'config.read', settings: describeConfig(config) });
    const lock = await lockDataDir(config.dataDir, {}, clock);
    open.push(() => lock.release());
    logger.event({ name: 'data-dir.locked', dataDir: config.dataDir });
    if (lock.abandonedBy !== undefined) {
      logger.event({ name: 'data-dir.lock-taken-over', dataDir: config.dataDir, previousPid: lock.abandonedBy.pid });
    }
    // Before anything is opened or created: a bad MODELS_DIR is said at once.
    const engine = createOnnxEngine();
    open.push(() => engine.close());
    const { catalog, compiled } = await loadModels(config, engine, logger);

    const url = await listen();
    const fhirBase = `${config.publicBaseUrl ?? url}/fhir/R4`;

    const database = await openMigrated(config, clock, logger, (close) => open.push(close));
    const validator = createResourceValidator();
    await validator.warmUp(usualTypes);
    const storeOptions = { baseUrl: fhirBase, clock, newId: randomUUID, timeZone: config.siteTimeZone, validator };
    const repository = createSqlRepository({ ...storeOptions, database, tenant: config.tenant });
    await publishDefinitions(repository, fileURLToPath(new URL('../fhir-profiles', import.meta.url)));
    const openReader = (sql: Sql) => openStoreReader({ ...storeOptions, tenant: config.tenant }, sql);
    const own = { database, openReader, base: fhirBase };
    const { source, subjectBase } = await openSource(config, own, validator, (close) => open.push(close));

    const openResults: OpenResultStore = (sql, tenant) => openSqlResultStore(storeOptions, sql, tenant);
    const prediction: PredictionParts = {
      tenant: config.tenant,
      source,
      subjectBase,
      writeResult: (record, resources) => writeResult(database, openResults, record, resources),
      clock,
      timeZone: config.siteTimeZone,
      optOutBy: config.optOutBy,
      findModel: (id, version) => predictable(catalog, compiled, id, version),
      validate: (resource) => validator.validate(resource),
      event: (event) => logger.event(event),
    };
    await lock.update({ url });
    const predictLogged: House['predict'] = (request, parts = prediction) =>
      loggedPredict(parts, request, (event) => logger.with({ requestId: request.requestId }).event(event));
    return {
      lock,
      database,
      repository,
      validator,
      catalog,
      source,
      prediction,
      predict: predictLogged,
      fhirBase,
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function openMigrated(
  config: Config,
  clock: Clock,
  logger: Logger,
  opened: (close: () => Promise<void>) => void,
): Promise<Database> {
  const { databaseUrl, dataDir } = config;
  const database = await openDatabase({ dataDir, logger, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  opened(() => database.close());
  const migrateStarted = performance.now();
  const { applied } = await migrate(database, allMigrations, clock);
  logger.event({ name: 'database.migrated', applied, migrateMs: performance.now() - migrateStarted });
  return database;
}

/** The server at FHIR_BASE_URL, or else the own store; and the base that names its subjects. */
async function openSource(
  config: Config,
  own: StoreRecordSourceOptions,
  validator: ResourceValidator,
  opened: (close: () => Promise<void>) => void,
): Promise<{ source: RecordSource; subjectBase: string }> {
  if (config.fhirBaseUrl === undefined) {
    const subjectBase = await keepOnce(own.database, config.tenant, 'own-fhir-base', own.base);
    return { source: createStoreRecordSource({ ...own, earlierBases: [subjectBase] }), subjectBase };
  }
  const client = createFhirClient({
    base: config.fhirBaseUrl,
    timeoutMs: config.fhirTimeoutMs,
    maxResources: config.fhirMaxResources,
  });
  opened(() => client.close());
  const source = createHttpRecordSource(client, validator);
  return { source, subjectBase: source.base };
}

async function loadModels(
  config: Config,
  engine: ReturnType<typeof createOnnxEngine>,
  logger: Logger,
): Promise<{ catalog: Catalog; compiled: ReadonlyMap<string, CompiledFeatureMap> }> {
  const compiled = new Map<string, CompiledFeatureMap>();
  const catalog = await loadCatalog({
    modelsDir: modelsFolder(config.modelsDir),
    engine,
    accept: ({ key, featureMap }) => {
      compiled.set(key, compileFeatureMap(featureMap));
    },
  });
  for (const { key, digest, loadMs } of catalog.list())
    logger.event({ name: 'model.loaded', model: key, digest, loadMs });
  for (const { dir, error } of catalog.refused) logger.event({ name: 'model.refused', folder: dir, error });
  return { catalog, compiled };
}

/** The default, `models`, is the working directory's if there is one, else the models that come with the package. */
function modelsFolder(modelsDir: string): string {
  const bundled = fileURLToPath(new URL('../models', import.meta.url));
  return modelsDir === 'models' && !existsSync(path.resolve(modelsDir)) ? bundled : path.resolve(modelsDir);
}

function predictable(
  catalog: Catalog,
  compiled: ReadonlyMap<string, CompiledFeatureMap>,
  id: string,
  version: string | undefined,
): PredictableModel {
  const { key, manifest, digest, run } = catalog.find(id, version);
  const map = compiled.get(key);
  if (map === undefined) throw new PredictionError('INTERNAL', `The feature map of ${key} was not compiled at load.`);
  return { manifest, digest, run, compiled: map };
}
