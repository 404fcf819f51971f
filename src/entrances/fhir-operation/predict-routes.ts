import { type Request, type Response, Router } from 'express';
import { preferredReturn, preferredWaitSeconds, prefersAsync } from '../../http/content-negotiation.ts';
import { readPlainJsonBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import type { OperationJobs } from '../../runs/operation-jobs/open-operation-jobs.ts';
import { sendAccepted } from './async-routes.ts';
import { isEmpty, refuseOtherMethods, refuseQuery } from './operation-call.ts';
import { predictJobText } from './predict-job.ts';
import { answerPrediction, type PredictOperation, predictRequestOf } from './predict-operation.ts';
import type { PredictPlace } from './prediction-request-from-parameters.ts';
import { sendResult } from './send-result.ts';

const atSystem = /^\/\$predict\/?$/;
const atType = /^\/(Patient|ImagingStudy)\/\$predict\/?$/;
const atInstance = /^\/(Patient|ImagingStudy)\/([^/]+)\/\$predict\/?$/;
const anyOperation = /\/\$[^/]*\/?$/;

export interface PredictRoutesOptions {
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  /** A model that takes longer, as its owner says, is answered asynchronously, unless the caller says that it waits. */
  readonly asyncAboveSeconds: number;
  /** Absolute FHIR base of the own store, where written results lie. */
  readonly storeBase: string;
  /** Takes what is asked for with `Prefer: respond-async`. */
  readonly jobs: Pick<OperationJobs, 'create'>;
  readonly now: () => Date;
}

/**
 * `$predict` at system, type and instance level (OP-3), relative to the FHIR base. Mounted before the store's own routes, which would
 * take `$predict` for an id. OP-6: it changes state, so POST only.
 */
export function predictRoutes(operation: PredictOperation, options: PredictRoutesOptions): Router {
  const router = Router();
  const isDear = ({ model, version }: PredictionRequest, aboveSeconds: number): boolean => {
    try {
      return (operation.describeModel(model, version).costSeconds ?? 0) > aboveSeconds;
    } catch (error) {
      // A model that cannot be asked is refused by the path, which keeps an account of who asked.
      if (error instanceof PredictionError) return false;
      throw error;
    }
  };
  const answer = async (request: Request, response: Response, route: string, place: PredictPlace): Promise<void> => {
    requestContext(response).route = `${request.baseUrl}/${route}`;
    refuseOtherMethods(request, response, 'predict', 'can store its result');
    refuseQuery(request, 'predict');
    const { requestId, principal } = requestContext(response);
    const asked = await predictRequestOf(operation, {
      body: isEmpty(request) ? undefined : await readPlainJsonBody(request, options.maxBodyBytes),
      requestId,
      principal,
      place,
    });
    const prefer = request.get('Prefer');
    const preferred = preferredReturn(prefer);
    const isAsked = prefersAsync(prefer);
    if (isAsked || isDear(asked, Math.max(options.asyncAboveSeconds, preferredWaitSeconds(prefer) ?? 0))) {
      const text = predictJobText({ request: asked, preferred }, options.now());
      const id = await options.jobs.create({ owner: principal.key, subject: asked.subject, request: text });
      return sendAccepted(response, { base: options.storeBase, id, isAsked });
    }
    const result = await answerPrediction(operation.predict, asked, givenUp(response, options.timeoutMs));
    sendResult(response, result, preferred, options.storeBase);
  };
  router.all(atSystem, (request, response) => answer(request, response, '$predict', {}));
  router.all(atType, (request, response) => {
    const { type } = placeIn(request);
    return answer(request, response, `${type}/$predict`, { type });
  });
  router.all(atInstance, (request, response) => {
    const place = placeIn(request);
    return answer(request, response, `${place.type}/:id/$predict`, place);
  });
  router.all(anyOperation, (request, response) => {
    requestContext(response).route = `${request.baseUrl}/*/$*`;
    throw new PredictionError(
      'OPERATION_UNKNOWN',
      'There is no such operation here; this server has $predict, and $predict of Patient, Patient/[id], ImagingStudy and ImagingStudy/[id], and $review of DiagnosticReport/[id].',
    );
  });
  return router;
}

/** What the patterns of the routes hold. */
function placeIn(request: Request): { readonly type: 'Patient' | 'ImagingStudy'; readonly id?: string } {
  const { 0: type, 1: id } = request.params as Record<string, string>;
  return { type: type === 'ImagingStudy' ? type : 'Patient', ...(id === undefined ? {} : { id }) };
}

/** Aborted when the caller goes away before the answer, or after `timeoutMs`. Nothing of it outlives the response. */
function givenUp(response: Response, timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  response.once('close', () => {
    clearTimeout(timer);
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
