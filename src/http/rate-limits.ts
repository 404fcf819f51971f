import type { Request, RequestHandler, Response } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { PredictionError } from '../platform/errors.ts';
import { isLoopback } from '../platform/loopback.ts';
import { callerAddress } from './caller-address.ts';
import { requestContext } from './request-context.ts';

/**
 * How often one caller may ask. Counted in this process: each of several servers counts for itself. No loopback address is ever
 * counted: a proxy there stands for everybody. The first refusal of a caller in each minute is accounted for by a row in the
 * access log, further ones by the request log and the metrics alone.
 */
export interface RateLimits {
  /**
   * Before anybody is asked who they are: from then on tokens that do not hold are counted for the address they come from, and are
   * answered 429 where they are too many. One that holds is always let in: others stand behind the same address.
   */
  readonly beforeProof: RequestHandler;
  /**
   * Once it is known who asks: counts the request for its client, or for its address where nobody was proved. Below
   * `/cds-services` that is known later: it has to be mounted there once more.
   */
  readonly afterProof: RequestHandler;
}

export interface RateLimitOptions {
  /** Requests of one client in a minute; 0: as many as it likes. */
  readonly requestsPerMinute: number;
  /** Tokens of one address that do not hold, in a minute; 0: as many as it likes. */
  readonly failedProofsPerMinute: number;
  /** Whatever lies below is never refused for its rate: what must be reachable when everything else is too much. */
  readonly unlimited: readonly string[];
  /** Of whoever sent the request. */
  readonly addressOf?: (request: Request) => string | undefined;
}

const minute = 60;
const hooksPath = /^\/cds-services(\/|$)/i;

export function createRateLimits(options: RateLimitOptions): RateLimits {
  const { requestsPerMinute, failedProofsPerMinute, unlimited } = options;
  const { addressOf = (request: Request) => request.socket.remoteAddress } = options;
  const requests = new RateLimiterMemory({ keyPrefix: 'requests', points: requestsPerMinute, duration: minute });
  const failures = new RateLimiterMemory({ keyPrefix: 'failures', points: failedProofsPerMinute, duration: minute });
  /** Requests without a token: never refused for it, but the access log has so many of them and no more. */
  const absences = new RateLimiterMemory({ keyPrefix: 'absences', points: failedProofsPerMinute, duration: minute });
  const told = new RateLimiterMemory({ keyPrefix: 'told', points: 1, duration: minute });
  const noteRepeated = async (response: Response, key: string): Promise<void> => {
    const refusals = await told.penalty(key, 1);
    if (refusals.consumedPoints > 1) requestContext(response).isRepeatedRefusal = true;
  };
  const isUnlimited = ({ path }: Request): boolean =>
    unlimited.some((one) => path.toLowerCase() === one || path.toLowerCase().startsWith(`${one}/`));

  return {
    async beforeProof(request, response, next) {
      const remote = addressOf(request);
      if (failedProofsPerMinute === 0 || isLoopback(remote ?? '') || isUnlimited(request)) return next();
      const key = callerAddress(remote);
      const [failed, unshown] = await Promise.all([failures.get(key), absences.get(key)]);
      const isSpent = (counted: RateLimiterRes | null): counted is RateLimiterRes =>
        counted !== null && counted.consumedPoints >= failedProofsPerMinute;
      const context = requestContext(response);
      context.onFailedProof = (came) => {
        if (came === 'no-token') {
          if (isSpent(unshown)) context.isRepeatedRefusal = true;
          else void absences.penalty(key, 1);
        } else if (isSpent(failed)) {
          void noteRepeated(response, `failures ${key}`);
          const what = 'Too many tokens that do not hold came from this address';
          throw refused(request, response, what, failed.msBeforeNext);
        } else void failures.penalty(key, 1);
      };
      next();
    },
    async afterProof(request, response, next) {
      if (requestsPerMinute === 0 || isUnlimited(request) || hooksPath.test(request.path)) return next();
      const { principal } = requestContext(response);
      const remote = addressOf(request);
      const isProved = principal.provedBy !== 'nothing';
      if (!isProved && isLoopback(remote ?? '')) return next();
      const key = isProved ? `client ${principal.key}` : `address ${callerAddress(remote)}`;
      try {
        await requests.consume(key);
      } catch (spent) {
        if (!(spent instanceof RateLimiterRes)) throw spent;
        await noteRepeated(response, `requests ${key}`);
        const what = `More than ${requestsPerMinute} requests came from this caller in a minute`;
        throw refused(request, response, what, spent.msBeforeNext);
      }
      next();
    },
  };
}

function refused(request: Request, response: Response, what: string, msBeforeNext: number): PredictionError {
  if (hooksPath.test(request.baseUrl + request.path)) requestContext(response).contentType = 'application/json';
  request.resume();
  return new PredictionError('RATE_LIMITED', `${what}. Ask again when Retry-After says, and less often.`, {
    retryAfterSeconds: Math.max(1, Math.ceil(msBeforeNext / 1_000)),
  });
}
