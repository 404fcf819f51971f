import type { IncomingMessage, ServerResponse } from 'node:http';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
  Router,
} from 'express';
import helmet from 'helmet';
import { PredictionError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { negotiateFormat } from './content-negotiation.ts';
import { corsHandler, corsPaths } from './cors.ts';
import { errorResponse } from './error-response.ts';
import type { FinishedRequest } from './finished-request.ts';
import { anyone, nobody } from './principal.ts';
import { type OwnHost, refuseForeignHost } from './refuse-foreign-host.ts';
import { type RequestContext, requestContext, setRequestContext } from './request-context.ts';
import { requestIdOf } from './request-id.ts';

/** A part of the app and the path below which it answers. */
export interface MountedRoute {
  readonly path: string;
  readonly handler: RequestHandler;
  /** True for a route with formats of its own: what the caller accepts is not looked at. A list: at or below these paths. */
  readonly ownFormat?: true | readonly (string | RegExp)[];
}

/** What answers the errors below a path, in the place of an OperationOutcome. */
export interface MountedErrors {
  readonly path: string;
  readonly handler: ErrorRequestHandler;
}

export interface AppOptions {
  /** Tried in this order: operations before reads. A handler that does not answer calls next(). */
  readonly routes: readonly MountedRoute[];
  /** Below these paths errors have a form of their own, whoever throws them. */
  readonly errors?: readonly MountedErrors[];
  readonly newRequestId: () => string;
  /** Origins whose pages may call below `corsPaths` from a browser; absent or empty: none. */
  readonly corsOrigins?: readonly string[];
  readonly logger: Logger;
  /** Told of every request once it is answered, or its caller went away. */
  readonly onFinished?: (finished: FinishedRequest) => void;
  /** Before all routes but /health: names who asks, and lets through whoever may. Absent: whoever asks may do everything. */
  readonly authorise?: readonly RequestHandler[];
  /** True where the app is mounted in another one: what is not found here is left to the routes behind it. */
  readonly fallThrough?: boolean;
  /** Set where no other app stands before this one: names the server under which it may be asked, beside loopback. */
  readonly ownHost?: OwnHost;
  /** What the server still waits for; nothing where it is ready. */
  readonly notReady: () => Promise<readonly string[]>;
}

/** The whole HTTP face as an Express app, which can also be mounted in another one. It handles no signals. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  const prepare = [
    identify(options),
    securityHeaders(),
    ...(options.ownHost === undefined ? [] : [refuseForeignHost(options.ownHost)]),
    decodeDollar,
  ];
  // In one handler: the way from one to the next costs more than each of them does.
  app.use((request, response, next) => {
    for (const step of prepare) step(request, response);
    next();
  });
  app.use('/health', healthRoutes(options.notReady));
  const { corsOrigins = [] } = options;
  if (corsOrigins.length > 0) app.use([...corsPaths], corsHandler(corsOrigins));
  if (options.authorise !== undefined) app.use([...options.authorise]);
  for (const { path, handler, ownFormat } of options.routes) {
    app.use(path, (request, response, next) => {
      if (!hasOwnFormat(ownFormat, request.path)) negotiate(request, response);
      return handler(request, response, next);
    });
  }
  if (!options.fallThrough) app.use(notFound);
  for (const { path, handler } of options.errors ?? []) app.use(path, handler);
  app.use(errorResponse);
  return app;
}

function hasOwnFormat(ownFormat: MountedRoute['ownFormat'], path: string): boolean {
  if (typeof ownFormat !== 'object') return ownFormat === true;
  return ownFormat.some((own) =>
    typeof own === 'string' ? path === own || path.startsWith(`${own}/`) : own.test(path),
  );
}

function healthRoutes(notReady: AppOptions['notReady']): Router {
  const router = Router();
  router.get('/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  router.get('/ready', async (_request, response) => {
    const waitingFor = await notReady();
    response.status(waitingFor.length === 0 ? 200 : 503);
    response.json(waitingFor.length === 0 ? { status: 'ready' } : { status: 'not-ready', waitingFor });
  });
  router.all(['/live', '/ready'], (request, response) => {
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}

/** What happens to every request before a route has its turn; throws what refuses it. */
type Step = (request: Request, response: Response) => void;

/** The headers of helmet, which are the same for every answer: asked of it once; and that nothing is kept. */
function securityHeaders(): Step {
  const headers = new Headers();
  const asked = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
  };
  helmet()({} as IncomingMessage, asked as unknown as ServerResponse, () => undefined);
  // What is about patients stays in no cache on the way; routes that say nothing about anybody set their own.
  headers.set('Cache-Control', 'no-store');
  const fixed = [...headers];
  return (_request, response) => {
    for (const [name, value] of fixed) response.setHeader(name, value);
  };
}

/** First of all: the request's id and its line in the log, so that nothing happens without them. */
function identify({ logger, newRequestId, onFinished, authorise }: AppOptions): Step {
  return (request, response) => {
    const url = urlBelow(request);
    const requestId = requestIdOf(request.get('X-Request-Id'), newRequestId);
    response.setHeader('X-Request-Id', requestId);
    const context = {
      requestId,
      logger: logger.with({ requestId }),
      principal: authorise === undefined ? anyone : nobody,
      contentType: 'application/fhir+json',
      pretty: false,
      requestBytes: Number(request.get('Content-Length') ?? 0),
    };
    setRequestContext(response, context);
    const startedMs = performance.now();
    response.once('close', () => {
      const { method } = request;
      const { statusCode: status } = response;
      const route = routeOf(request, response);
      const durationMs = Math.round((performance.now() - startedMs) * 1000) / 1000;
      context.logger.event({
        name: 'request.finished',
        method,
        route,
        status,
        durationMs,
        requestBytes: context.requestBytes,
        responseBytes: Number(response.getHeader('Content-Length') ?? 0),
      });
      const location = response.getHeader('Location');
      onFinished?.({
        ...finishedContext(context),
        method,
        url,
        route,
        status,
        durationMs,
        ...(typeof location === 'string' && { location }),
      });
    });
  };
}

/** Path and query as routes are found by: a proxy's form of a request line names the origin before them. */
function urlBelow({ url, path }: Request): string {
  if (url.startsWith('/')) return url;
  const query = url.indexOf('?');
  return query < 0 ? path : `${path}${url.slice(query)}`;
}

/** Of the context what may outlive the request. */
function finishedContext(context: RequestContext) {
  const { requestId, principal, errorCode, isRepeatedRefusal, entries, subject, form } = context;
  return {
    requestId,
    principal,
    ...(errorCode !== undefined && { errorCode }),
    ...(isRepeatedRefusal !== undefined && { isRepeatedRefusal }),
    ...(entries !== undefined && { entries }),
    ...(subject !== undefined && { subject }),
    ...(form !== undefined && { form }),
  };
}

function routeOf(request: Request, response: Response): string {
  const route = requestContext(response).route;
  if (route !== undefined) return route;
  const { route: matched } = request as { route?: { path?: unknown } };
  return typeof matched?.path === 'string' ? `${request.baseUrl}${matched.path}` : '*';
}

/** `%24predict` is `$predict`; Express matches paths before it decodes them. */
function decodeDollar(request: Request): void {
  if (!request.url.includes('%24')) return;
  const [path = '', ...query] = request.url.split('?');
  request.url = [path.replaceAll('%24', '$'), ...query].join('?');
}

function notFound(): never {
  const message = 'There is nothing at this path; /metadata below the FHIR base lists what this server does.';
  throw new PredictionError('OPERATION_UNKNOWN', message);
}

function negotiate(request: Request, response: Response): void {
  const context = requestContext(response);
  const accept = request.get('Accept');
  if (accept === undefined && !request.url.includes('?')) return;
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  const pretty = query.get('_pretty');
  if (pretty !== null && pretty !== 'true' && pretty !== 'false') {
    throw new PredictionError('PARAMETER_INVALID', '_pretty must be true or false.');
  }
  context.pretty = pretty === 'true';
  context.contentType = negotiateFormat(accept, query.get('_format') ?? undefined);
}
