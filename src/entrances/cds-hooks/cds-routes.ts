import { type Request, type RequestHandler, type Response, Router } from 'express';
import { readPlainJsonBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import type { CdsFeedback, StoredFeedback } from '../../monitoring/cds-feedback.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import { answerHook, type HookEntrance } from './answer-hook.ts';
import { feedbackCounts } from './count-feedback.ts';
import { type CdsHooksVersion, discovery, type HookService } from './hook-service.ts';
import { parseFeedback } from './parse-feedback.ts';

export interface CdsRoutesOptions {
  readonly entrance: HookEntrance;
  readonly cdsHooksVersion: CdsHooksVersion;
  readonly maxBodyBytes: number;
  /** Lets in whoever may call, before anything else; absent: everybody. */
  readonly access?: RequestHandler;
  /** Keeps what was answered to cards of a service. */
  readonly storeFeedback: (service: string, feedback: readonly CdsFeedback[]) => Promise<StoredFeedback>;
}

/**
 * CDS Hooks 2.0.1, relative to `/cds-services`: discovery, the services and their feedback. Everything is JSON, errors are an
 * OperationOutcome (CDS-27).
 */
export function cdsRoutes(options: CdsRoutesOptions): Router {
  const { entrance, cdsHooksVersion, maxBodyBytes, access, storeFeedback } = options;
  const router = Router();

  router.use(answerInJson);
  if (access !== undefined) router.use(access);
  router.get('/', (_request, response) => {
    requestContext(response).route = '/cds-services';
    sendJson(response, 200, discovery(entrance.services(), cdsHooksVersion));
  });
  router.all('/', only('GET, HEAD'));
  router.post('/:service', async (request, response) => {
    const startedMs = performance.now();
    requestContext(response).route = '/cds-services/:service';
    servicesAt(entrance.services(), request.params.service, request);
    const givenUp = givenUpSignal(response);
    const body = await readPlainJsonBody(request, maxBodyBytes);
    // Models may have been promoted, removed or switched off while the body came.
    const offered = servicesAt(entrance.services(), request.params.service, request);
    const { requestId, logger, principal } = requestContext(response);
    const event = (happened: LogEvent): void => logger.event(happened);
    const call = { offered, body, requestId, principal, startedMs, givenUp, event };
    sendJson(response, 200, await answerHook(entrance, call));
  });
  router.all('/:service', only('POST'));
  router.post('/:service/feedback', async (request, response) => {
    requestContext(response).route = '/cds-services/:service/feedback';
    const { service } = request.params;
    const offered = servicesAt(entrance.services(), service, request);
    const feedback = parseFeedback(await readPlainJsonBody(request, maxBodyBytes));
    const { unknownCards, unknownSuggestions, wordsNotKept, added } = await storeFeedback(service, feedback);
    const { logger } = requestContext(response);
    if (wordsNotKept > 0) logger.event({ name: 'cds-feedback.words-not-kept', service, words: wordsNotKept });
    logger.event({
      name: 'cds-feedback.stored',
      service,
      feedback: feedback.length,
      unknownCards,
      unknownSuggestions,
    });
    for (const counted of feedbackCounts(offered, added)) logger.event(counted);
    response.status(200).end();
  });
  router.all('/:service/feedback', only('POST'));
  return router;
}

/** One or several for one id, told apart by their hook (CDS-4). */
function servicesAt(services: readonly HookService[], id: string, request: Request): readonly HookService[] {
  const offered = services.filter((service) => service.id === id);
  if (offered.length > 0) return offered;
  request.resume();
  throw new PredictionError(
    'OPERATION_UNKNOWN',
    'There is no CDS service of this id; GET /cds-services lists those there are.',
  );
}

/** Whatever FHIR type was negotiated: CDS Hooks knows JSON only. */
const answerInJson: RequestHandler = (_request, response, next) => {
  requestContext(response).contentType = 'application/json';
  next();
};

function only(allowed: string): RequestHandler {
  return (request, response) => {
    requestContext(response).route = `/cds-services${request.path === '/' ? '' : '/:service'}`;
    response.setHeader('Allow', allowed);
    request.resume();
    throw new PredictionError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed are ${allowed}.`);
  };
}

/** Aborted when the caller goes away before the answer. */
function givenUpSignal(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
