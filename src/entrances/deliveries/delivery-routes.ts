import { type Request, type Response, Router } from 'express';
import { readJsonBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { PredictionError } from '../../platform/errors.ts';
import { type DeliveryQuery, deliveryPageToken, parseDeliveryQuery } from './delivery-query.ts';
import { parseRedriveRequest, type RedriveRequest } from './parse-redrive-request.ts';

/** What the routes need of the deliveries. */
export interface DeliveryDesk {
  list(search: DeliveryQuery): Promise<readonly { readonly sink: string; readonly identifier: string }[]>;
  summary(): Promise<readonly object[]>;
  /** @returns how many dead letters were put back */
  redrive(request: RedriveRequest): Promise<number>;
}

/** Room for some ten thousand identifiers. */
const maxBodyBytes = 1_000_000;

/** `/deliveries`: what was delivered to which sink, what waits, what is dead; and dead letters are revived. */
export function deliveryRoutes(desk: DeliveryDesk): Router {
  const router = Router();
  const named = (response: Response, route: string): void => {
    requestContext(response).route = `/deliveries${route}`;
  };
  router.get('/', async (request, response) => {
    named(response, '');
    const query = parseDeliveryQuery(request.url);
    const found = await desk.list({ ...query, count: query.count + 1 });
    const page = found.slice(0, query.count);
    const last = page.at(-1);
    const more = found.length > query.count && last !== undefined;
    const next = more ? `${request.baseUrl}?${nextQuery(query, deliveryPageToken(last))}` : undefined;
    sendJson(response, 200, { deliveries: page, next });
  });
  router.get('/summary', async (_request, response) => {
    named(response, '/summary');
    sendJson(response, 200, { sinks: await desk.summary() });
  });
  router.post('/redrive', async (request, response) => {
    named(response, '/redrive');
    const asked = parseRedriveRequest(await readJsonBody(request, maxBodyBytes));
    sendJson(response, 200, { sink: asked.sink, redriven: await desk.redrive(asked) });
  });
  router.all('/redrive', only('POST'));
  router.all(['/', '/summary'], only('GET, HEAD'));
  return router;
}

function nextQuery({ sink, state, count }: DeliveryQuery, page: string): string {
  const parameters = new URLSearchParams();
  if (sink !== undefined) parameters.set('sink', sink);
  if (state !== undefined) parameters.set('state', state);
  parameters.set('_count', String(count));
  parameters.set('_page', page);
  return parameters.toString();
}

function only(allowed: string): (request: Request, response: Response) => never {
  return (request, response) => {
    response.setHeader('Allow', allowed);
    request.resume();
    throw new PredictionError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed is ${allowed}.`);
  };
}
