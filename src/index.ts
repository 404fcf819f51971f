import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { protocolError } from './entrances/inference-protocol/protocol-error.ts';
import { readProtocolToken } from './entrances/inference-protocol/protocol-token.ts';
import { metricsRoutes } from './entrances/metrics/metrics-routes.ts';
import { cardPath } from './entrances/models/card-routes.ts';
import { authorise } from './http/access/authorise.ts';
import { policyTable } from './http/access/policy-table.ts';
import { readAccessFile } from './http/access/read-access-file.ts';
import { readTokenFile } from './http/bearer-token.ts';
import type { FinishedRequest } from './http/finished-request.ts';
import { createGate } from './http/gate.ts';
import { guardedPath } from './http/guarded-path.ts';
import { loopbackOnly } from './http/loopback-only.ts';
import { createOpenRequests } from './http/open-requests.ts';
import { ownKeysPath } from './http/own-keys-routes.ts';
import { createRateLimits } from './http/rate-limits.ts';
import type { OwnHost } from './http/refuse-foreign-host.ts';
import { createRequestPlaces } from './http/request-places.ts';
import { createApp } from './http/server-app.ts';
import { watchEventLoop } from './monitoring/event-loop-delay.ts';
import { meteredLogger } from './monitoring/metered-logger.ts';
import { createMetrics } from './monitoring/metrics.ts';
import { packageVersion } from './package-version.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { type Config, readConfig } from './platform/config.ts';
import { PredictionError } from './platform/errors.ts';
import type { LogEvent } from './platform/events.ts';
import { createLogger, type Logger } from './platform/logger.ts';
import { type House, wire } from './wire.ts';
import { type Access, openAccess, serversOf } from './wire-access.ts';
import { type Account, openAccount } from './wire-account.ts';
import { adminPath, ownPaths, routesOf, type Tokens } from './wire-routes.ts';

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
  const keysPaths = config.fhirClientId === undefined ? [] : [ownKeysPath];
  const paths = [...ownPaths, ...protocolPaths, ...keysPaths];
  // A kill switch must work while the server is behind.
  const guarded = paths.filter((path) => path !== adminPath);
  const gate = createGate(paths, () => account?.refuseUnaccounted());
  const loop = watchEventLoop();
  const places = createRequestPlaces(config.maxOpenRequests, {
    now: () => performance.now(),
    delayMs: () => loop.takeMeanMs(),
  });
  const openRequests = createOpenRequests(guarded.map(guardedPath), places, (event) => logger.event(event));
  const limits =
    config.auth === 'none'
      ? undefined
      : createRateLimits({
          requestsPerMinute: config.maxRequestsPerMinute,
          failedProofsPerMinute: config.maxFailedLoginsPerMinute ?? usualFailedLogins(config),
          unlimited: [adminPath],
        });
  const face = {
    // Metrics stand before the gate: they are of most use while the server starts or drains.
    routes: [
      ...(config.auth === 'none' ? [...paths, '/metrics'] : []).map((path) => ({
        path,
        handler: loopbackOnly,
        ownFormat: true as const,
      })),
      { path: '/metrics', handler: metricsRoutes(metrics), ownFormat: true as const },
      { path: '/', handler: gate.handler, ownFormat: [...protocolPaths, cardPath] },
    ],
    errors: protocolPaths.map((path) => ({ path, handler: protocolError })),
    corsOrigins: config.corsOrigins,
    newRequestId: randomUUID,
    logger,
    onFinished: (finished: FinishedRequest) => account?.keep(finished),
    notReady: () => gate.waitingFor(),
    ...(limits === undefined
      ? {}
      : {
          authorise: [
            limits.beforeProof,
            authorise(policyTable, [...ownPaths, '/metrics'], () => access?.verifyToken),
            limits.afterProof,
          ],
        }),
  };
  const alone = createApp({ ...face, ownHost: ownHostOf(config) });
  const mounted = createApp({ ...face, fallThrough: true });
  const startedMs = performance.now();
  let house: House | undefined;
  let access: Access | undefined;
  let isClosed = false;
  let account: Account | undefined;

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
      const { accessFile } = config;
      const settings = accessFile === undefined ? undefined : await readAccessFile(accessFile);
      house = await wire({
        config,
        clock,
        logger,
        listen: listen ?? here,
        firstDefaults: 'recorded',
        ...(settings === undefined ? {} : { reaches: serversOf(settings) }),
        onPrediction: metrics.onPrediction,
        onShadow: metrics.onShadow,
      });
      const opened = house;
      const parts = { clock, adminToken: tokens.admin, event: (event: LogEvent) => logger.event(event) };
      try {
        if (settings !== undefined) access = await openAccess(settings, opened, parts);
        await prepare?.(opened);
        await opened.runs.start();
        opened.operationJobs.start();
        await opened.subscriptions?.notices.start();
        opened.deliveries.start();
      } catch (error) {
        house = undefined;
        await access?.close().catch((closing: unknown) => logger.event({ name: 'error.unexpected', error: closing }));
        await opened.close().catch((closing: unknown) => logger.event({ name: 'error.unexpected', error: closing }));
        throw error;
      }
      account = openAccount(opened, config, clock);
      gate.open(routesOf(opened, config, clock, { tokens, access, limit: limits?.afterProof }), () =>
        databaseAnswers(opened, logger),
      );
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
        await account?.close();
        logger.event({ name: 'drain.finished', durationMs: performance.now() - drainMs, abandoned });
      } finally {
        try {
          await access?.close();
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

/** Behind a proxy all callers share its address: one of them must not count for all. */
function usualFailedLogins({ publicBaseUrl, tlsCertFile }: Config): number {
  return publicBaseUrl !== undefined && tlsCertFile === undefined ? 0 : 60;
}

/** Under which names the server may be asked, beside loopback: an address it listens on is its own. */
function ownHostOf({ publicBaseUrl, host, auth }: Config): OwnHost {
  return {
    listensOn: host,
    callersProve: auth === 'required',
    ...(publicBaseUrl === undefined ? {} : { publicBaseUrl }),
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
