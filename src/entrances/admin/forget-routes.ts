import { type RequestHandler, Router } from 'express';
import { tokenChecker } from '../../http/bearer-token.ts';
import { readPlainJsonBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { PredictionError } from '../../platform/errors.ts';

export interface ForgetRoutesOptions {
  /** Of this process, for commands on this machine: nobody else may. */
  readonly commandLineToken: string;
  readonly forget: (request: {
    readonly patient: string;
    readonly server?: string;
    readonly confirmed: boolean;
    readonly way: 'command-line';
    readonly requestId: string;
  }) => Promise<object>;
}

const maxBodyBytes = 10_000;

/** `POST /admin/subjects/forget`: what `fhirsight forget` asks of a running server. */
export function forgetRoutes({ commandLineToken, forget }: ForgetRoutesOptions): RequestHandler {
  const router = Router();
  const isCommandLine = tokenChecker(commandLineToken);
  router.use((request, response, next) => {
    requestContext(response).route = '/admin/subjects';
    if (!isCommandLine(request)) {
      request.resume();
      response.setHeader('WWW-Authenticate', 'Bearer realm="fhirsight administration"');
      throw new PredictionError(
        'UNAUTHENTICATED',
        'This is for `fhirsight forget` on the machine of the server, by its user.',
      );
    }
    next();
  });
  router.post('/forget', async (request, response) => {
    const { requestId } = requestContext(response);
    requestContext(response).route = '/admin/subjects/forget';
    const asked = parseForget(await readPlainJsonBody(request, maxBodyBytes));
    sendJson(response, 200, await forget({ ...asked, way: 'command-line', requestId }));
  });
  router.use((request) => {
    request.resume();
    throw new PredictionError('OPERATION_UNKNOWN', 'Below /admin/subjects there is POST forget, and nothing else.');
  });
  return router;
}

function parseForget(body: unknown): { patient: string; server?: string; confirmed: boolean } {
  const { patient, server, confirmed, ...others } = (typeof body === 'object' && body !== null ? body : {}) as Readonly<
    Record<string, unknown>
  >;
  const isServer =
    server === undefined ||
    (typeof server === 'string' && /^(https?:\/\/\S{1,500}|urn:fhirsight:caller)$/.test(server));
  if (typeof patient !== 'string' || typeof confirmed !== 'boolean' || !isServer || Object.keys(others).length > 0) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      'The body is {"patient": id, "confirmed": true or false, "server": FHIR base, where it is not the record source}.',
    );
  }
  return { patient, confirmed, ...(server !== undefined && { server: server as string }) };
}
