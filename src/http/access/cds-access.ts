import type { Request, RequestHandler, Response } from 'express';
import type { Clock } from '../../platform/clock.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { Principal } from '../principal.ts';
import { requestContext } from '../request-context.ts';
import type { CdsClientSettings } from './cds-client-section.ts';
import { CdsTokenRefused, refusedFor } from './cds-refusal.ts';
import { KeysUnreachable } from './key-set.ts';
import { type CdsTokenParts, type ProvedCdsClient, verifyCdsToken } from './verify-cds-token.ts';

export interface CdsAccessOptions extends CdsTokenParts {
  /** URL of the services as clients see it, from the settings: `https://risk.example.org/cds-services`. */
  readonly servicesUrl: string;
  readonly clock: Clock;
}

/** The same for every call that is not let in: nobody learns how near they were (CDS-67). */
const refusal = 'The call must carry a token of a CDS client that is known here, made for this call.';

/**
 * Lets in whoever proves to be a declared CDS client (CDS-60), by discovery, service and feedback alike. To be mounted at
 * `/cds-services`, before anything of the body is read.
 */
export function cdsAccess({ servicesUrl, clock, ...parts }: CdsAccessOptions): RequestHandler {
  return async (request, response, next) => {
    const context = requestContext(response);
    context.contentType = 'application/json';
    context.route = routeOf(request);
    let named: CdsClientSettings | undefined;
    try {
      const proved = await verifyCdsToken(parts, {
        token: tokenOf(request),
        audiences: audiencesOf(request, servicesUrl),
        now: clock.now(),
        named: (client) => {
          named = client;
        },
      });
      context.principal = principalOf(proved);
    } catch (error) {
      context.logger.event(eventOf(error, named));
      if (error instanceof CdsTokenRefused) context.onFailedProof?.(error.reason === 'absent' ? 'no-token' : 'token');
      refuse(request, response);
    }
    next();
  };
}

function refuse(request: Request, response: Response): never {
  request.resume();
  response.setHeader('WWW-Authenticate', 'Bearer realm="cds-services"');
  throw new PredictionError('UNAUTHENTICATED', refusal);
}

/** What fails for another reason than the token, such as a database that does not answer, is thrown. */
function eventOf(error: unknown, named: CdsClientSettings | undefined): LogEvent {
  const client = named === undefined ? {} : { client: named.name };
  if (error instanceof CdsTokenRefused) return { name: 'cds-client.refused', reason: error.reason, ...client };
  if (error instanceof KeysUnreachable) return { name: 'cds-client.keys-unreachable', ...client, error };
  throw error;
}

function tokenOf(request: Request): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.get('Authorization') ?? '') ?? [];
  if (token === undefined) throw refusedFor('absent');
  return token;
}

/**
 * What a token for this call is made for: the URL that is invoked, below the configured one (CDS-63); for feedback that of
 * the service too, because the specification is silent. Nothing of the request but its path counts.
 */
function audiencesOf(request: Request, servicesUrl: string): readonly string[] {
  const path = request.path.replace(/\/$/, '');
  if (path === '') return [servicesUrl];
  const [, service = '', feedback, ...more] = path.split('/');
  if (more.length > 0) return [];
  const called = `${servicesUrl}/${decodedId(service)}`;
  return feedback === undefined ? [called] : [called, `${called}/feedback`];
}

function decodedId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw refusedFor('audience', { cause });
  }
}

function routeOf(request: Request): string {
  const parts = request.path.split('/').filter((part) => part !== '');
  return ['/cds-services', '/cds-services/:service', '/cds-services/:service/feedback'][parts.length] ?? '*';
}

function principalOf({ client, tenant }: ProvedCdsClient): Principal {
  return {
    provedBy: 'cds-jwt',
    client: client.name,
    key: JSON.stringify(['cds-jwt', client.issuer, ...(tenant === undefined ? [] : [tenant])]),
    roles: new Set(['caller']),
    cdsHooks: {
      writesBack: client.writesBack,
      systemActions: client.systemActions,
      fhirServers: client.fhirServers,
    },
  };
}
