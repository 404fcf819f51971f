import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createTreeShapWorker } from './explanation/trees/tree-shap-worker.ts';
import { readDeclaredServer } from './fhir/client/read-declared-server.ts';
import { indexOldStudies } from './fhir/store/index-old-studies.ts';
import { publishDefinitions } from './fhir/store/publish-definitions.ts';
import { createSqlRepository, type SqlRepository } from './fhir/store/sql-repository.ts';
import type { StudyIndex } from './fhir/studies/study-index.ts';
import { createResourceValidator, type ResourceValidator } from './fhir/validate-resource.ts';
import { readImagingFile } from './imaging/read-imaging-file.ts';
import { refuseUnknownModels } from './inference/read-engines.ts';
import type { CatalogContents } from './model-catalog/catalog-contents.ts';
import type { LiveCatalog } from './model-catalog/live-catalog.ts';
import { type AccessLog, createAccessLog } from './monitoring/access-log.ts';
import { createMonitoring, type Monitoring, type MonitoringOptions } from './monitoring/monitored-predict.ts';
import { createShadows, type ShadowsOptions } from './monitoring/shadows.ts';
import { writeAdminToken } from './platform/admin-token.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { describeConfig } from './platform/config.ts';
import { type DataDirLock, lockDataDir } from './platform/data-dir-lock.ts';
import type { Database } from './platform/database.ts';
import type { Logger } from './platform/logger.ts';
import type { AllowedServer } from './platform/outbound/allowed-origins.ts';
import type { Outbound } from './platform/outbound/create-outbound.ts';
import { loggedPredict } from './prediction/logged-predict.ts';
import { openNamedServer, refuseOwnBases, subjectBaseOf } from './prediction/open-server.ts';
import type { PredictionOutcome } from './prediction/prediction-outcome.ts';
import type { PredictionParts } from './prediction/prediction-parts.ts';
import type { PredictionRequest } from './prediction/prediction-request.ts';
import { recordTypes } from './records/clinical-record.ts';
import type { RecordSource } from './records/record-source.ts';
import { createStoreRecordSource } from './records/store-record-source.ts';
import type { Runs } from './runs/open-runs.ts';
import type { OperationJobs } from './runs/operation-jobs/open-operation-jobs.ts';
import { openArchives } from './wire-archives.ts';
import { openMigrated } from './wire-database.ts';
import { openEngine } from './wire-engine.ts';
import { openOwnClient } from './wire-fhir-client.ts';
import { type Imaging, imageServers, openImageReading, openImaging } from './wire-imaging.ts';
import { folderIds, loadModels } from './wire-models.ts';
import { openOperationJobsOf } from './wire-operation-jobs.ts';
import { openOutbound } from './wire-outbound.ts';
import { openRunsOf } from './wire-runs.ts';
import { openSealing, type Sealing } from './wire-sealing.ts';
import { namedModel, shadowVersions } from './wire-served-models.ts';
import { openOwnSource, openSource } from './wire-sources.ts';
import { openStudies } from './wire-studies.ts';
import { openSubscriptions, type Subscriptions } from './wire-subscriptions.ts';
import { type FirstDefaults, openVersions, type Versions } from './wire-versions.ts';
import type { OpenResultStore } from './write-back/result-store.ts';
import { createResultWriter } from './write-back/result-writer.ts';
import { type ReviewReceipt, type ReviewToWrite, writeReview } from './write-back/reviews/write-review.ts';
import { createDeliveries, type Deliveries } from './write-back/sinks/deliveries.ts';
import { readSinks } from './write-back/sinks/read-sinks.ts';
import { openSqlResultStore } from './write-back/sql-result-store.ts';

/** The parts of a running server, and how to close them. */
export interface House {
  readonly lock: DataDirLock;
  /** See `writeAdminToken`. */
  readonly adminToken: string;
  readonly database: Database;
  readonly repository: SqlRepository;
  readonly validator: ResourceValidator;
  readonly catalog: LiveCatalog;
  readonly source: RecordSource;
  /** The imaging studies of `source`. */
  readonly studies: StudyIndex;
  readonly prediction: PredictionParts;
  readonly sealing: Sealing;
  /** What every entrance calls: the path, logged and accounted for. `parts` differ where the records of many subjects were read at once. */
  predict(request: PredictionRequest, parts?: PredictionParts): Promise<PredictionOutcome>;
  /** See `Monitoring.lookedUp`. */
  readonly lookedUp: Monitoring['lookedUp'];
  /** Cohort runs; nothing is worked on before `start`. */
  readonly runs: Runs;
  /** What was asked for asynchronously; nothing is worked on before `start`. */
  readonly operationJobs: OperationJobs;
  /** Absent where no SUBSCRIPTIONS_FILE is set; nothing is worked on before `notices.start`. */
  readonly subscriptions: Subscriptions | undefined;
  /** Keeps what people find of reports: see `writeReview`. */
  readonly writeReview: (review: ReviewToWrite) => Promise<ReviewReceipt>;
  readonly versions: Versions;
  readonly accessLog: AccessLog;
  /** Sends written results to the sinks, once it is started. */
  readonly deliveries: Deliveries;
  /** Public keys of this server as a client of others, where it is one. */
  readonly ownKeys: object | undefined;
  /** The only way to other servers. */
  readonly outbound: Outbound;
  /** Absent where no IMAGING_FILE is set: then no image is read. */
  readonly imaging: Imaging | undefined;
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
  readonly firstDefaults: FirstDefaults;
  /** Servers that ACCESS_FILE names. */
  readonly reaches?: readonly AllowedServer[];
  /** Told of every prediction, for the metrics. */
  readonly onPrediction?: MonitoringOptions['onPrediction'];
  /** Told of what shadows say, for the metrics. */
  readonly onShadow?: ShadowsOptions['onShadow'];
}

/** Resource types that a prediction reads or writes: their schemas are compiled before the server is ready. */
const usualTypes = [...recordTypes, 'RiskAssessment', 'Device', 'Provenance', 'Bundle', 'Parameters'];

/** Builds every part once, by hand. What was opened is closed in reverse order, all of it, also where a part fails. */
export async function wire(options: WireOptions): Promise<House> {
  const { config, clock, logger, listen, firstDefaults, onPrediction, onShadow } = options;
  const open: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (let close = open.pop(); close !== undefined; close = open.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  };
  try {
    logger.event({ name: 'config.read', settings: describeConfig(config) });
    const lock = await lockDataDir(config.dataDir, {}, clock);
    open.push(() => lock.release());
    logger.event({ name: 'data-dir.locked', dataDir: config.dataDir });
    if (lock.abandonedBy !== undefined) {
      logger.event({ name: 'data-dir.lock-taken-over', dataDir: config.dataDir, previousPid: lock.abandonedBy.pid });
    }
    const { token: adminToken, remove } = await writeAdminToken(config.dataDir);
    open.push(remove);
    // Before anything is opened or created: a bad MODELS_DIR is said at once.
    const { engines, engine } = await openEngine(config, logger, (close) => open.push(close));
    const declared = await readDeclaredServer(config.fhirServerProfile);
    const treeShapWorker = createTreeShapWorker();
    open.push(() => treeShapWorker.close());
    const loaded = await loadModels(config, engine, { logger, clock }, treeShapWorker, declared);
    refuseUnknownModels(engines, folderIds(loaded.contents));
    const sinks = await readSinks(config.sinksFile);
    const images = await readImagingFile(config.imagingFile);
    const further = [...(options.reaches ?? []), ...imageServers(images)];
    const outbound = openOutbound(config, { sinks, further }, (event) => logger.event(event));
    const sealing = await openSealing(config, (event) => logger.event(event));
    open.push(() => outbound.close());
    const imaging = openImaging(images, outbound, (close) => open.push(close));
    const imageReading = openImageReading(imaging, { clock, logger }, (close) => open.push(close));
    const archives = openArchives(sinks, {
      sources: imaging?.sources,
      workers: imageReading?.workers,
      timeZone: config.siteTimeZone,
    });
    let served = (): CatalogContents => loaded.contents;
    const ownClient = await openOwnClient(config, { outbound, clock, contents: () => served() });
    const server = { outbound, credentials: ownClient?.credentials };

    const url = await listen();
    const serverUrl = config.publicBaseUrl ?? url;
    const fhirBase = `${serverUrl}/fhir/R4`;
    const validator = createResourceValidator();
    // An embedded database opens in its own thread meanwhile.
    const warmedUp = validator.warmUp(usualTypes);
    warmedUp.catch(() => undefined); // waited for below, once there is a database to close
    const database = await openMigrated(config, clock, logger, (close) => open.push(close));
    await warmedUp;
    await sealing.sealOld(database);
    const accessLog = createAccessLog({ database: database.background, event: (event) => logger.event(event) });
    open.push(() => accessLog.close());
    const storeOptions = { baseUrl: fhirBase, clock, newId: randomUUID, timeZone: config.siteTimeZone, validator };
    const repository = createSqlRepository({ ...storeOptions, database, tenant: config.tenant });
    await publishDefinitions(repository, fileURLToPath(new URL('../fhir-profiles', import.meta.url)));
    const indexed = await indexOldStudies(repository.context);
    if (indexed > 0) logger.event({ name: 'store.studies-indexed', studies: indexed });
    const own = await openOwnSource(config, database, repository, fhirBase);
    const { source, subjectBase } = openSource(config, own, { validator, declared, ...server }, (close) =>
      open.push(close),
    );
    const studies = openStudies(config, { repository, source }, server, (close) => open.push(close));
    const versionParts = { config, database, clock, logger, subjectBase, firstDefaults };
    const versions = await openVersions(loaded, versionParts, (close) => open.push(close));
    const { models } = versions;
    const { catalog } = models;
    served = () => catalog.contents();

    const openResultStore: OpenResultStore = (sql, tenant) => openSqlResultStore(storeOptions, sql, tenant);
    const deliveries = createDeliveries({
      database,
      tenant: config.tenant,
      sinks,
      ownBase: fhirBase,
      outbound,
      archives,
      clock,
      newId: randomUUID,
      event: (event) => logger.event(event),
    });
    open.push(() => deliveries.close(Math.min(config.drainTimeoutMs, longestDeliveryGraceMs)));
    const openResults = (of: Database, gathers: boolean) => {
      const results = createResultWriter({
        database: of,
        openResultStore,
        sinks: deliveries.sinkNames,
        reportSinks: deliveries.reportSinkNames,
        gathers,
      });
      open.push(() => results.close());
      return results;
    };
    const results = openResults(database, false);
    const servers = {
      own,
      listed: config.cdsFhirServers,
      outbound,
      timeoutMs: config.fhirTimeoutMs,
      maxResources: config.fhirMaxResources,
      validator,
    };
    refuseOwnBases(servers);
    const prediction: PredictionParts = {
      tenant: config.tenant,
      source,
      subjectBase,
      writeResult: (record, resources) => results.write(record, resources),
      writesDemonstrations: config.demonstrationModels === 'on' || (source.own && sinks.length === 0),
      serverUrl,
      clock,
      timeZone: config.siteTimeZone,
      ...(imageReading && { imaging: imageReading }),
      findModel: models.find,
      openServer: (base, accessToken) => openNamedServer(servers, base, accessToken),
      validate: (resource, path) => validator.validate(resource, path),
      event: (event) => logger.event(event),
    };
    await lock.update({ url });
    const monitoring = createMonitoring({
      database,
      clock,
      tenant: config.tenant,
      newId: randomUUID,
      ...(sealing.values && { cipher: sealing.values }),
      findModel: (id, version) => namedModel(catalog, id, version),
      subjectBase,
      subjectBaseOf: (base) => subjectBaseOf(prediction, base),
      onPrediction: onPrediction ?? (() => undefined),
      event: (event) => logger.event(event),
    });
    open.push(() => monitoring.close());
    const account: House['predict'] = (request, parts = prediction) =>
      models.borrowed((findModel) =>
        monitoring.watched(
          (asked) =>
            loggedPredict({ ...parts, findModel }, asked, (event) =>
              logger.with({ requestId: asked.requestId }).event(event),
            ),
          request,
        ),
      );
    let waitedFor = 0;
    const predictMonitored: House['predict'] = async (request, parts = prediction) => {
      waitedFor++;
      const outcome = await account(request, parts).finally(() => waitedFor--);
      shadows.follow(request, outcome);
      return outcome;
    };
    const membersResults = openResults(database.background, true);
    const members: PredictionParts = {
      ...prediction,
      ...(source === own.source && {
        source: createStoreRecordSource(
          createSqlRepository({ ...storeOptions, database: database.background, tenant: config.tenant }),
          { base: fhirBase, earlierBases: [subjectBase] },
        ),
      }),
      writeResult: (record, resources) => membersResults.write(record, resources),
    };
    const shadows = createShadows({
      shadowsOf: (shown) => shadowVersions(catalog, shown),
      predict: (request) => account(request, members),
      waitedFor: () => waitedFor,
      onShadow: onShadow ?? (() => undefined),
      timeoutMs: config.predictTimeoutMs,
      event: (event) => logger.event(event),
    });
    open.push(() => shadows.close());
    const parts = { database, repository, studies, catalog, prediction, members, server };
    const house = { ...parts, predict: predictMonitored, fhirBase, sealing };
    const runs = await openRunsOf(config, house, (close) => open.push(close));
    const operationJobs = openOperationJobsOf(config, house, (close) => open.push(close));
    const notified = { ...house, source, validator };
    const subscriptions = await openSubscriptions(config, notified, (close) => open.push(close));
    return {
      runs,
      writeReview: (review) =>
        writeReview(database, openResultStore, review, {
          reportSinks: deliveries.reportSinkNames,
          timeZone: config.siteTimeZone,
        }),
      operationJobs,
      subscriptions,
      deliveries,
      ownKeys: ownClient?.keys.published,
      outbound,
      imaging,
      versions,
      accessLog,
      adminToken,
      lock,
      database,
      repository,
      validator,
      catalog,
      source,
      studies,
      prediction,
      sealing,
      predict: predictMonitored,
      lookedUp: monitoring.lookedUp,
      fhirBase,
      close: closeAll,
    };
  } catch (error) {
    // What went wrong first is what is thrown.
    await closeAll().catch((closing: unknown) => logger.event({ name: 'error.unexpected', error: closing }));
    throw error;
  }
}

/** A sink that hangs does not hold up the end; what it was sent is looked for at the next start. */
const longestDeliveryGraceMs = 5_000;
