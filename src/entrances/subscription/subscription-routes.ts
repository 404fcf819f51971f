import { createHash, timingSafeEqual } from 'node:crypto';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { successOutcome } from '../../fhir/operation-outcome.ts';
import { isFhirId } from '../../fhir/reference.ts';
import { nobody } from '../../http/principal.ts';
import { readBody, readPlainJsonBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendOwnResource } from '../../http/send-resource.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { StudyNotices } from '../../runs/study-notices/open-study-notices.ts';
import { type Notice, parseNotice } from './parse-notice.ts';
import type { GuardedSubscription } from './read-subscriptions.ts';

/** Below which notices come. */
export const subscriptionsPath = '/subscriptions';

export interface SubscriptionRoutesOptions {
  readonly subscriptions: readonly GuardedSubscription[];
  readonly notices: Pick<StudyNotices, 'note' | 'noteSomething'>;
  readonly maxBodyBytes: number;
  readonly event: (event: LogEvent) => void;
}

/**
 * Endpoints of R4 rest-hook Subscriptions on ImagingStudy: a notice is kept and answered at once, and worked on later (SUB-4).
 * `POST|PUT /imaging-study/{name}` takes a study, a notification or nothing (SUB-2, SUB-3, SUB-11); `PUT|DELETE
 * /imaging-study/{name}/ImagingStudy/{id}` is what a server sends that takes the endpoint for a FHIR base (SUB-3).
 */
export function subscriptionRoutes(options: SubscriptionRoutesOptions): RequestHandler {
  const { subscriptions, notices, maxBodyBytes } = options;
  const router = Router();
  const proved = (request: Request, response: Response, route: string, name: string): GuardedSubscription => {
    const context = requestContext(response);
    context.route = `${subscriptionsPath}${route}`;
    const subscription = subscriptions.find((one) => one.name === name);
    if (subscription !== undefined && showsSecret(request, subscription)) {
      const client = `subscription ${name}`;
      context.principal = { ...nobody, provedBy: 'static-token', client, key: client };
      return subscription;
    }
    request.resume();
    options.event({ name: 'study-notice.refused', subscription: subscription?.name ?? 'unknown' });
    context.onFailedProof?.('token');
    response.setHeader('WWW-Authenticate', 'Bearer realm="fhirsight subscriptions"');
    throw new PredictionError(
      'UNAUTHENTICATED',
      'There is no subscription of this name with the secret that the call shows. Send the secret of SUBSCRIPTIONS_FILE in its header (Subscription.channel.header).',
    );
  };
  const keep = async (response: Response, subscription: GuardedSubscription, notice: Notice): Promise<void> => {
    if (notice === 'something') await notices.noteSomething(subscription);
    else if (notice !== 'nothing') await notices.note(subscription, notice.studies);
    sendOwnResource(response, 200, successOutcome('The notice was taken.'));
  };

  const withBody: RequestHandler<{ name: string }> = async (request, response) => {
    const subscription = proved(request, response, '/imaging-study/:name', request.params.name);
    const body = isEmpty(request) ? undefined : await readPlainJsonBody(request, maxBodyBytes);
    await keep(response, subscription, parseNotice(body));
  };
  const below: RequestHandler<{ name: string; id: string }> = async (request, response) => {
    const route = '/imaging-study/:name/ImagingStudy/:id';
    const subscription = proved(request, response, route, request.params.name);
    const { id } = request.params;
    if (!isFhirId(id)) {
      request.resume();
      throw new PredictionError('PARAMETER_INVALID', 'What stands behind ImagingStudy is no logical id of FHIR.');
    }
    // Only the id is taken: the study is read where it lies (SUB-15).
    if (!isEmpty(request)) await readBody(request, maxBodyBytes);
    await keep(response, subscription, request.method === 'DELETE' ? 'nothing' : { studies: [id] });
  };
  router.post('/imaging-study/:name', withBody);
  router.put('/imaging-study/:name', withBody);
  router.all('/imaging-study/:name', only('POST, PUT'));
  router.put('/imaging-study/:name/ImagingStudy/:id', below);
  router.delete('/imaging-study/:name/ImagingStudy/:id', below);
  router.all('/imaging-study/:name/ImagingStudy/:id', only('PUT, DELETE'));
  return router;
}

/** How long it takes says nothing about the secret. */
function showsSecret(request: Request, { header, secret }: GuardedSubscription): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const given = request.get(header) ?? '';
  const shown = header === 'authorization' ? given.replace(/^Bearer +/i, '') : given;
  return timingSafeEqual(digest(shown), digest(secret));
}

function isEmpty(request: Request): boolean {
  return request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0;
}

function only(allowed: string): (request: Request, response: Response) => never {
  return (request, response) => {
    response.setHeader('Allow', allowed);
    request.resume();
    throw new PredictionError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed is ${allowed}.`);
  };
}
