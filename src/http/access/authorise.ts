import { type Request, type RequestHandler, type Response, Router } from 'express';
import { PredictionError } from '../../platform/errors.ts';
import { requestContext } from '../request-context.ts';
import { requirePermission } from './permissions.ts';
import type { Need, PolicyRow } from './policy-table.ts';
import type { TokenVerifier } from './token-verifier.ts';

/**
 * Lets a request through to its route where a row of the table fits it and its caller may do what the row asks for; names
 * the caller in the context of the request. What no row fits is refused, whoever asks, also where a route exists for it.
 * @param table the first row that fits counts
 * @param guarded below these paths everything is ours
 * @param verifier undefined while the server starts
 */
export function authorise(
  table: readonly PolicyRow[],
  guarded: readonly string[],
  verifier: () => TokenVerifier | undefined,
): RequestHandler {
  const router = Router();
  for (const { method, path, need } of table) {
    const handler: RequestHandler = async (request, response, next) => {
      await admit(need, request, response, verifier());
      next('router');
    };
    if (method === '*') router.all(path, handler);
    else if (method === 'GET') router.get(path, handler);
    else router.post(path, handler);
  }
  for (const path of guarded) {
    router.use(path, async (request, response) => {
      await admit('unknown', request, response, verifier());
    });
  }
  return router;
}

async function admit(
  need: Need,
  request: Request,
  response: Response,
  verify: TokenVerifier | undefined,
): Promise<void> {
  if (need === 'nothing' || need === 'own-token' || need === 'cds-client') return;
  if (verify === undefined)
    throw new PredictionError('STARTING', 'The server is starting and not ready yet. Try again in a few seconds.');
  const context = requestContext(response);
  const refused = (reason: string): void => {
    context.logger.event({ name: 'token.refused', reason });
    context.onFailedProof?.('token');
  };
  try {
    const token = bearerOf(request);
    if (token === undefined) {
      context.onFailedProof?.('no-token');
      throw withoutToken();
    }
    context.principal = await verify(token, refused);
    if (need === 'prediction') requirePermission(context.principal, 'predictions.make');
    else if (need === 'unknown') throw unknownPath();
    else if (need !== 'fhir-scopes') requirePermission(context.principal, need);
  } catch (error) {
    request.resume();
    throw error;
  }
}

function unknownPath(): PredictionError {
  return new PredictionError(
    'OPERATION_UNKNOWN',
    'There is nothing at this path; /metadata below the FHIR base lists what this server does.',
  );
}

/** RFC 6750: in the header only; a token in a URL would be in every log on the way. */
function bearerOf(request: Request): string | undefined {
  return /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.get('Authorization') ?? '')?.[1];
}

function withoutToken(): PredictionError {
  return new PredictionError(
    'UNAUTHENTICATED',
    'This needs an access token, as Authorization: Bearer …; .well-known/smart-configuration below the FHIR base says where to get one.',
  );
}
