import { type RequestHandler, Router } from 'express';
import { requestContext } from '../../http/request-context.ts';
import { PredictionError } from '../../platform/errors.ts';

/** `GET /metrics`: what is counted and timed, in the text format of Prometheus. */
export function metricsRoutes(metrics: { readonly contentType: string; text(): Promise<string> }): RequestHandler {
  const router = Router();
  router.get('/', async (_request, response) => {
    requestContext(response).route = '/metrics';
    const text = await metrics.text();
    response.setHeader('Content-Type', metrics.contentType);
    response.send(Buffer.from(text));
  });
  router.all('/', (request, response) => {
    requestContext(response).route = '/metrics';
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}
