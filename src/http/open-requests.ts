import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogEvent } from '../platform/events.ts';

/** Counts the requests under way and refuses more than the limit, before anything of them is read. */
export interface OpenRequests {
  /** True where the request was refused, and answered with 503 and Retry-After. */
  refuses(request: IncomingMessage, response: ServerResponse): boolean;
  count(): number;
}

const retryAfterSeconds = 1;

/**
 * What a server cannot answer in time it should not begin: under overload each request that is let in makes all others
 * later. A refusal costs a small part of an answer, so that most of the time is left for those that were let in. When
 * it begins and ends is told once each.
 * @param limits `paths`: below these requests count; `longest`: how many may be under way
 * @param bodyFor the body in the shape of the protocol that is asked for by the path
 */
export function createOpenRequests(
  limits: { readonly paths: readonly string[]; readonly longest: number },
  bodyFor: (path: string) => { readonly contentType: string; readonly text: string },
  event: (event: LogEvent) => void,
): OpenRequests {
  let open = 0;
  let refusing: { readonly sinceMs: number; refused: number } | undefined;

  const closeOne = (): void => {
    open -= 1;
    if (refusing === undefined || open > limits.longest / 2) return;
    event({
      name: 'overload.ended',
      refused: refusing.refused,
      durationMs: Math.round(performance.now() - refusing.sinceMs),
    });
    refusing = undefined;
  };
  return {
    refuses(request, response) {
      const path = request.url ?? '';
      if (!isBelow(path, limits.paths)) return false;
      if (open < limits.longest) {
        open += 1;
        response.once('close', closeOne);
        return false;
      }
      if (refusing === undefined) event({ name: 'overload.started', open, limit: limits.longest });
      refusing ??= { sinceMs: performance.now(), refused: 0 };
      refusing.refused += 1;
      event({ name: 'request.refused' });
      const { contentType, text } = bodyFor(path);
      response.writeHead(503, {
        'Content-Type': contentType,
        'Content-Length': Buffer.byteLength(text),
        'Retry-After': String(retryAfterSeconds),
        'X-Content-Type-Options': 'nosniff',
        'Cache-Control': 'no-store',
      });
      response.end(text);
      return true;
    },
    count: () => open,
  };
}

/** Express matches paths whatever their case; the query and, in a proxy's form of a URL, the origin are no part of it. */
function isBelow(url: string, paths: readonly string[]): boolean {
  const path =
    url
      .replace(/^https?:\/\/[^/]*/i, '')
      .split('?')[0]
      ?.toLowerCase() ?? '';
  return paths.some((own) => path === own.toLowerCase() || path.startsWith(`${own.toLowerCase()}/`));
}
