import type { Resource } from '@medplum/fhirtypes';
import { type Request, type Response, Router } from 'express';
import { successOutcome } from '../../fhir/operation-outcome.ts';
import { launchPatientOnly } from '../../http/access/fhir-data.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendOwnResource } from '../../http/send-resource.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { OperationJobs } from '../../runs/operation-jobs/open-operation-jobs.ts';
import { overduePredict } from './predict-job.ts';

/** Where asynchronous requests are asked after, relative to the FHIR base: no resource type begins with an underscore. */
const statusPath = '_async';
/** When to ask for the first time, and again. */
const retryAfterSeconds = 1;

/**
 * Tells the caller of a request that was taken where it is asked after (OP-50).
 * @param base the absolute FHIR base
 * @param isAsked false where the caller did not ask for an answer that comes later
 */
export function sendAccepted(
  response: Response,
  { base, id, isAsked }: { readonly base: string; readonly id: string; readonly isAsked: boolean },
): void {
  const url = `${base}/${statusPath}/${id}`;
  response.setHeader('Content-Location', url);
  if (isAsked) response.setHeader('Preference-Applied', 'respond-async');
  response.setHeader('Retry-After', String(retryAfterSeconds));
  sendOwnResource(response, 202, successOutcome('The request was taken. Ask for its answer at Content-Location.'));
}

/** Status, answer and cancellation of asynchronous requests, relative to the FHIR base (OP-51 to OP-55). */
export function asyncRoutes(jobs: OperationJobs, now: () => Date): Router {
  const router = Router();
  router.all(`/${statusPath}/:id`, async (request, response) => {
    requestContext(response).route = `${request.baseUrl}/${statusPath}/:id`;
    response.setHeader('Cache-Control', 'no-store');
    if (request.method === 'DELETE') await cancel(request, response);
    else if (request.method === 'GET' || request.method === 'HEAD') await sendStatus(request, response);
    else refuseMethod(request, response);
  });

  async function sendStatus(request: Request<{ id: string }>, response: Response): Promise<void> {
    const status = await jobs.read(request.params.id, jobCaller(response));
    if (status.state === 'waiting') {
      response.setHeader('X-Progress', progressOf(status, now()));
      response.setHeader('Retry-After', String(retryAfterSeconds));
      return sendOwnResource(response, 202, successOutcome('The request is not answered yet.'));
    }
    response.setHeader('Expires', status.expiresAt.toUTCString());
    const answer =
      status.state === 'overdue'
        ? overduePredict(requestContext(response).requestId)
        : (JSON.parse(status.answer) as Resource);
    sendOwnResource(response, 200, answer);
  }

  async function cancel(request: Request<{ id: string }>, response: Response): Promise<void> {
    await jobs.cancel(request.params.id, jobCaller(response));
    const message = 'The request is cancelled. A result that was stored already stays.';
    sendOwnResource(response, 202, successOutcome(message));
  }
  return router;
}

/** Bound to the patient of its launch where it may ask about no other: whoever may ask about somebody must get the answer, too. */
function jobCaller(response: Response): Parameters<OperationJobs['read']>[1] {
  const { principal } = requestContext(response);
  const patient = launchPatientOnly(principal.fhir);
  return { owner: principal.key, ...(patient === undefined ? {} : { patient }) };
}

/** Fewer than 100 characters. */
function progressOf(status: { readonly createdAt: Date; readonly startedAt?: Date }, now: Date): string {
  const ago = (since: Date): string => `${Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000))} s ago`;
  return status.startedAt === undefined ? `queued ${ago(status.createdAt)}` : `begun ${ago(status.startedAt)}`;
}

function refuseMethod(request: Request, response: Response): never {
  response.setHeader('Allow', 'GET, HEAD, DELETE');
  request.resume();
  throw new PredictionError(
    'METHOD_NOT_ALLOWED',
    `${request.method} is not possible here; allowed are GET, HEAD and DELETE.`,
  );
}
