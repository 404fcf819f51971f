import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AdminOptions, adminRoutes } from './entrances/admin/admin-routes.ts';
import { auditSearchParameters } from './entrances/audit/audit-query.ts';
import { auditRoutes } from './entrances/audit/audit-routes.ts';
import { cdsRoutes } from './entrances/cds-hooks/cds-routes.ts';
import { type HookService, hookServices } from './entrances/cds-hooks/hook-service.ts';
import { runRoutes } from './entrances/cohort/run-routes.ts';
import { deliveryRoutes } from './entrances/deliveries/delivery-routes.ts';
import { predictDefinition } from './entrances/fhir-operation/predict-definition.ts';
import { predictRoutes } from './entrances/fhir-operation/predict-routes.ts';
import { protocolError } from './entrances/inference-protocol/protocol-error.ts';
import { protocolRoutes } from './entrances/inference-protocol/protocol-routes.ts';
import { readProtocolToken } from './entrances/inference-protocol/protocol-token.ts';
import { servedModels } from './entrances/inference-protocol/served-models.ts';
import { metricsRoutes } from './entrances/metrics/metrics-routes.ts';
import { cardPath, cardRoutes } from './entrances/models/card-routes.ts';
import { modelRoutes } from './entrances/models/model-routes.ts';
import { schemaRoutes } from './entrances/models/schema-routes.ts';
import { capabilityStatement } from './fhir/capability-statement.ts';
import { readTokenFile } from './http/bearer-token.ts';
import { fhirRoutes } from './http/fhir-routes.ts';
import { createGate } from './http/gate.ts';
import { guardedPath } from './http/guarded-path.ts';
import { createOpenRequests } from './http/open-requests.ts';
import { createRequestPlaces } from './http/request-places.ts';
import { createApp, type MountedRoute } from './http/server-app.ts';
import type { Catalog } from './model-catalog/catalog.ts';
import { isServiceOff } from './model-catalog/cds-services.ts';
import { storeFeedback } from './monitoring/cds-feedback.ts';
import { watchEventLoop } from './monitoring/event-loop-delay.ts';
import { meteredLogger } from './monitoring/metered-logger.ts';
import { createMetrics } from './monitoring/metrics.ts';
import { packageVersion } from './package-version.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { type Config, readConfig } from './platform/config.ts';
import { PredictionError } from './platform/errors.ts';
import { createLogger, type Logger } from './platform/logger.ts';
import { siteDay } from './platform/site-day.ts';
import { type House, wire } from './wire.ts';
import { deviceOf } from './wire-served-models.ts';

export { PredictionError } from './platform/errors.ts';
export type { House } from './wire.ts';

export interface FhirsightOptions {
  /**
   * Settings by the names of `.env.example` (`DATA_DIR`, `MODELS_DIR`, …); the process's environment is not read.
   * Mounted in another app, PUBLIC_BASE_URL names the URL below which the router is mounted.
   */
  readonly settings?: Readonly<Record<string, string | undefined>>;
  /** Settings that were read already; `settings` is ignored then. */
  readonly config?: Config;
  /** Where time comes from; the system's clock by default. */
  readonly clock?: Clock;
  /** JSON lines on standard error by default. */
  readonly logger?: Logger;
}

export interface StartOptions {
  /** Called once the data directory is ours; gives the URL the server listens on. */
  readonly listen?: () => Promise<string>;
  /** Called with the open parts, before the server says that it is ready. */
  readonly prepare?: (house: House) => Promise<void>;
}

export interface Fhirsight {
  /**
   * The whole server as a handler for `app.use(fhirsight.router)` or `http.createServer(fhirsight.router)`. Below `/fhir/R4`,
   * `/cds-services`, `/models`, `/admin/models` and `/schemas` (and `/v2`, where INFERENCE_PROTOCOL is on) it answers 503 until `start` is done;
   * mounted in an app, other paths are left to that app.
   */
  readonly router: (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;
  /** Opens the database, loads the models. Throws a PredictionError; what was opened is closed again then. */
  start(options?: StartOptions): Promise<void>;
  /** Takes no new request, waits for those under way (at most DRAIN_TIMEOUT_MS), closes everything. Never ends the process. */
  close(): Promise<void>;
}

/** A fhirsight to mount in any Node.js HTTP server. It installs no signal handler and never exits. Throws CONFIG_INVALID. */
export function createFhirsight(options: FhirsightOptions = {}): Fhirsight {
  const config = options.config ?? readConfig(options.settings ?? {});
  const clock = options.clock ?? systemClock;
  const metrics = createMetrics(() => openRequests.count());
  const logger = meteredLogger(options.logger ?? createLogger({ level: config.logLevel }), metrics.onEvent);
  const protocolPaths = config.inferenceProtocol === 'on' ? ['/v2'] : [];
  const paths = [...ownPaths, ...protocolPaths];
  // A kill switch must work while the server is behind.
  const guarded = paths.filter((path) => path !== adminPath);
  const gate = createGate(paths);
  const loop = watchEventLoop();
  const places = createRequestPlaces(config.maxOpenRequests, {
    now: () => performance.now(),
    delayMs: () => loop.takeMeanMs(),
  });
  const openRequests = createOpenRequests(guarded.map(guardedPath), places, (event) => logger.event(event));
  const face = {
    // Metrics stand before the gate: they are of most use while the server starts or drains.
    routes: [
      { path: '/metrics', handler: metricsRoutes(metrics), ownFormat: true as const },
      { path: '/', handler: gate.handler, ownFormat: [...protocolPaths, cardPath] },
    ],
    errors: protocolPaths.map((path) => ({ path, handler: protocolError })),
    newRequestId: randomUUID,
    logger,
    notReady: () => gate.waitingFor(),
  };
  const { publicBaseUrl } = config;
  const alone = createApp({ ...face, ownHost: publicBaseUrl === undefined ? {} : { publicBaseUrl } });
  const mounted = createApp({ ...face, fallThrough: true });
  const startedMs = performance.now();
  let house: House | undefined;
  let isClosed = false;

  return {
    router(request, response, next) {
      if (openRequests.refuses(request, response)) return;
      const [req, res] = [request as Parameters<typeof alone>[0], response as Parameters<typeof alone>[1]];
      if (next === undefined) alone(req, res);
      else mounted(req, res, next);
    },
    async start({ listen, prepare } = {}) {
      if (house !== undefined || isClosed)
        throw new PredictionError('INTERNAL', 'This fhirsight was started or closed already; create another one.');
      const here = async (): Promise<string> => config.publicBaseUrl ?? `http://${config.host}:${config.port}`;
      const { adminTokenFile } = config;
      const tokens: Tokens = {
        protocol: await readProtocolToken(config),
        admin: adminTokenFile === undefined ? undefined : await readTokenFile('ADMIN_TOKEN_FILE', adminTokenFile),
      };
      house = await wire({
        config,
        clock,
        logger,
        listen: listen ?? here,
        firstDefaults: 'recorded',
        onPrediction: metrics.onPrediction,
        onShadow: metrics.onShadow,
      });
      const opened = house;
      try {
        await prepare?.(opened);
        await opened.runs.start();
        opened.deliveries.start();
      } catch (error) {
        house = undefined;
        await opened.close().catch((closing: unknown) => logger.event({ name: 'error.unexpected', error: closing }));
        throw error;
      }
      gate.open(routesOf(opened, config, clock, tokens), () => databaseAnswers(opened, logger));
      logger.event({
        name: 'server.started',
        url: house.fhirBase,
        startMs: performance.now() - startedMs,
        version: packageVersion(),
      });
    },
    async close() {
      const closing = house;
      house = undefined;
      isClosed = true;
      if (closing === undefined) {
        metrics.close();
        loop.close();
        return;
      }
      const drainMs = performance.now();
      logger.event({ name: 'drain.started', inFlight: gate.inFlight(), timeoutMs: config.drainTimeoutMs });
      const runsStopped = closing.runs.close().catch((error: unknown) => {
        logger.event({ name: 'error.unexpected', error });
      });
      try {
        const abandoned = await gate.drain(config.drainTimeoutMs);
        await runsStopped;
        logger.event({ name: 'drain.finished', durationMs: performance.now() - drainMs, abandoned });
      } finally {
        try {
          await closing.close();
        } finally {
          metrics.close();
          loop.close();
        }
      }
      logger.event({ name: 'server.stopped', uptimeMs: performance.now() - startedMs });
    },
  };
}

/** Below these paths everything is ours; what lies elsewhere belongs to the app this one is mounted in. */
const adminPath = '/admin/models';
const ownPaths = [adminPath, '/models', '/schemas', '/runs', '/deliveries', '/fhir/R4', '/cds-services'];

/** What callers must show. */
interface Tokens {
  readonly protocol: string | undefined;
  readonly admin: string | undefined;
}

/** Those at a bedside first. Operations before reads: the store would take `$predict` for an id. */
function routesOf(house: House, config: Config, clock: Clock, tokens: Tokens): MountedRoute[] {
  const { protocol: protocolToken } = tokens;
  const { repository, catalog, source, validator, fhirBase } = house;
  const { serverUrl } = house.prediction;
  const today = (): string => siteDay(clock.now(), config.siteTimeZone);
  const definition = predictDefinition();
  const maxBodyBytes = config.maxBodyMb * 1_000_000;
  const operation = {
    definition,
    timeZone: config.siteTimeZone,
    bases: [source.base, ...(source.earlierBases ?? [])],
    validate: (resource: unknown) => validator.validate(resource),
    predict: house.predict,
  };
  const statement = capabilityStatement({
    baseUrl: fhirBase,
    version: packageVersion(),
    date: clock.now(),
    operations: [{ name: definition.code ?? 'predict', definition: definition.url ?? '', resources: ['Patient'] }],
    readOnly: [{ type: 'AuditEvent', searchParam: [...auditSearchParameters] }],
  });
  const audit = {
    database: house.database,
    tenant: config.tenant,
    timeZone: config.siteTimeZone,
    maxBodyBytes,
    fhirBase,
    own: [...new Set([fhirBase, ...(source.own ? [source.base, ...(source.earlierBases ?? [])] : [])])],
  };
  return [
    { path: '/fhir/R4', handler: predictRoutes(operation, { maxBodyBytes, timeoutMs: config.predictTimeoutMs }) },
    { path: '/cds-services', handler: cdsRoutes(hookOptions(house, config, clock)) },
    { path: '/models', handler: cardRoutes({ catalog, deviceOf, today }) },
    { path: '/models', handler: modelRoutes(catalog, config.optOutBy, { serverUrl, today }) },
    { path: '/schemas', handler: schemaRoutes() },
    { path: '/runs', handler: runRoutes(house.runs, { timeZone: config.siteTimeZone }) },
    { path: '/deliveries', handler: deliveryRoutes(house.deliveries) },
    { path: adminPath, handler: adminRoutes(adminOptions(house, tokens.admin)) },
    ...(protocolToken === undefined
      ? []
      : [
          {
            path: '/v2',
            handler: protocolRoutes({
              models: servedModels(catalog),
              token: protocolToken,
              version: packageVersion(),
              maxBodyBytes,
              timeoutMs: config.predictTimeoutMs,
            }),
          },
        ]),
    { path: '/fhir/R4', handler: auditRoutes(audit) },
    { path: '/fhir/R4', handler: fhirRoutes({ repository, capabilityStatement: statement, maxBodyBytes }) },
  ];
}

function hookOptions(house: House, config: Config, clock: Clock): Parameters<typeof cdsRoutes>[0] {
  const { tenant } = config;
  return {
    maxBodyBytes: config.maxBodyMb * 1_000_000,
    entrance: {
      services: servicesNow(house, config),
      isOff: (service) => isServiceOff(house.catalog, service),
      predict: house.predict,
      findings: (value, path) => house.validator.findings(value, path),
      deadlineMs: config.cdsDeadlineMs,
      timeoutMs: config.predictTimeoutMs,
      timeZone: config.siteTimeZone,
      serverUrl: house.prediction.serverUrl,
      newId: randomUUID,
    },
    storeFeedback: (service, feedback) =>
      storeFeedback(house.database, { tenant, service, receivedAt: clock.now() }, feedback),
  };
}

function adminOptions(house: House, http: string | undefined): AdminOptions {
  return {
    desk: house.versions.desk,
    reload: house.versions.reload,
    tokens: { commandLine: house.adminToken, ...(http === undefined ? {} : { http }) },
  };
}

/** The services as models are loaded and promoted now; made once for each change. */
function servicesNow({ catalog }: House, { optOutBy, demonstrationModels }: Config): () => readonly HookService[] {
  const made = (of: Catalog): HookService[] => hookServices(of, optOutBy, demonstrationModels === 'on');
  let seen = catalog.current();
  let services = made(seen);
  return () => {
    const now = catalog.current();
    if (now !== seen) services = made(now);
    seen = now;
    return services;
  };
}

/** Readiness is asked of the database each time; what it says of a failure is in the log. */
async function databaseAnswers({ database }: House, logger: Logger): Promise<readonly string[]> {
  try {
    await database.query('select 1');
    return [];
  } catch (error) {
    logger.event({ name: 'error.unexpected', error });
    return ['database'];
  }
}
