import { Router } from 'express';
import { PredictionError } from '../platform/errors.ts';
import { requestContext } from './request-context.ts';
import { sendText } from './send-resource.ts';

/** Where other servers find the public keys of this one (SM-2). */
export const ownKeysPath = '/.well-known/jwks.json';

/** How long others may keep the keys: a new one is published that long before it signs. */
const maxAgeSeconds = 3_600;

/** `GET /.well-known/jwks.json`, for everybody. @param published a JWK Set without private parts */
export function ownKeysRoutes(published: object): Router {
  const router = Router();
  router.get('/', (_, response) => {
    requestContext(response).route = ownKeysPath;
    response.setHeader('Cache-Control', `public, max-age=${maxAgeSeconds}`);
    sendText(response, 200, JSON.stringify(published), 'application/json');
  });
  router.all('/', (request, response) => {
    requestContext(response).route = ownKeysPath;
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}
