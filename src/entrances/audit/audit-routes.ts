import { type Request, type RequestHandler, type Response, Router } from 'express';
import { searchsetBundle, urlWithQuery } from '../../fhir/bundle.ts';
import { readFormBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendResource } from '../../http/send-resource.ts';
import type { Sql } from '../../platform/database.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { AuditFrame } from './audit-parts.ts';
import { isUuid, pageAfter, parseAuditSearch } from './audit-query.ts';
import { readAuditEvents } from './read-audit-events.ts';

export interface AuditRoutesOptions extends AuditFrame {
  readonly database: Sql;
  readonly tenant: string;
  /** IANA zone of the site. */
  readonly timeZone: string;
  readonly maxBodyBytes: number;
}

/** `AuditEvent` below the FHIR base: the prediction log and the access log, read-only, rendered row by row. */
export function auditRoutes(options: AuditRoutesOptions): RequestHandler {
  const { database, tenant, fhirBase } = options;
  const router = Router({ caseSensitive: true });
  const here = '/fhir/R4/AuditEvent';

  router.get('/AuditEvent', async (request, response) => {
    requestContext(response).route = here;
    await answerSearch(queryOf(request), response);
  });
  router.post('/AuditEvent/_search', async (request, response) => {
    requestContext(response).route = `${here}/_search`;
    const form = new URLSearchParams(await readFormBody(request, options.maxBodyBytes));
    await answerSearch([...queryOf(request), ...form], response);
  });
  router.get('/AuditEvent/:id', async (request, response) => {
    requestContext(response).route = `${here}/:id`;
    const { id } = request.params;
    const query = { ids: [id], newestFirst: true, count: 1 };
    const [found] = isUuid(id)
      ? (await readAuditEvents(database, tenant, { query, accesses: query }, options)).events
      : [];
    if (found === undefined)
      throw new PredictionError('RESOURCE_UNKNOWN', 'There is no AuditEvent with this id: search by patient or date.');
    sendResource(response, 200, found.event);
  });
  router.all(['/AuditEvent', '/AuditEvent/:id'], (request, response) => {
    requestContext(response).route = here;
    request.resume();
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here: AuditEvents are this server's own account of what was done here, made by it alone and never changed. Allowed are GET and HEAD.`,
    );
  });
  router.all('/AuditEvent/*rest', (request, response) => {
    requestContext(response).route = `${here}/*`;
    request.resume();
    throw new PredictionError(
      'OPERATION_UNKNOWN',
      'There is no such interaction on AuditEvent: it is read and searched, and has neither versions nor history.',
    );
  });
  return router;

  async function answerSearch(parameters: readonly (readonly [string, string])[], response: Response): Promise<void> {
    const search = parseAuditSearch(parameters, options);
    const { given } = search;
    const { events, more } = await readAuditEvents(database, tenant, search, options);
    const last = events.at(-1);
    const base = `${fhirBase}/AuditEvent`;
    sendResource(
      response,
      200,
      searchsetBundle({
        baseUrl: fhirBase,
        self: urlWithQuery(base, given),
        ...(more && last !== undefined
          ? { next: urlWithQuery(base, [...given, ['_page', pageAfter(last, search.query.newestFirst)]]) }
          : {}),
        resources: events.map(({ event }) => event),
      }),
    );
  }
}

function queryOf(request: Request): [string, string][] {
  return [...new URLSearchParams(request.url.split('?')[1] ?? '')];
}
