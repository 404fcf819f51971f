import { Router } from 'express';
import { PredictionError } from '../../platform/errors.ts';
import { requestContext } from '../request-context.ts';
import { sendJson } from '../send-json.ts';

/** `GET /.well-known/smart-configuration`, relative to the FHIR base: JSON for everybody (SM-1, SM-20). */
export function smartConfigurationRoutes(configuration: object): Router {
  const router = Router();
  const path = '/.well-known/smart-configuration';
  router.get(path, (_request, response) => {
    requestContext(response).route = `/fhir/R4${path}`;
    sendJson(response, 200, configuration);
  });
  router.all(path, (request, response) => {
    requestContext(response).route = `/fhir/R4${path}`;
    response.setHeader('Allow', 'GET, HEAD');
    request.resume();
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}
