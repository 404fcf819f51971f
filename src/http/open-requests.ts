import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogEvent } from '../platform/events.ts';
import { createPacedSockets } from './paced-sockets.ts';
import type { RequestPlaces } from './request-places.ts';

/** Counts the requests under way and refuses those for which there is no place, before anything of them is read. */
export interface OpenRequests {
  /** True where the request was refused, and answered with 503 and Retry-After. */
  refuses(request: IncomingMessage, response: ServerResponse): boolean;
  count(): number;
}

/** What requests below a path are. */
export interface GuardedPath {
  readonly path: string;
  /** Somebody waits at a bedside. */
  readonly urgent: boolean;
  /** What one that is refused is told, in the shape of the protocol. */
  readonly refusal: { readonly contentType: string; readonly text: string };
}

const retryAfterSeconds = 1;

/**
 * What a server cannot answer in time it should not begin: under overload each request that is let in makes all others
 * later. A refusal costs a small part of an answer, so that most of the time is left for those that were let in. When
 * it begins and ends is told once each.
 * @param guarded below these paths requests count
 */
export function createOpenRequests(
  guarded: readonly GuardedPath[],
  places: RequestPlaces,
  event: (event: LogEvent) => void,
): OpenRequests {
  const paths = guarded.map(({ path, urgent, refusal: { contentType, text } }) => {
    const body = Buffer.from(text);
    return { path: path.toLowerCase(), urgent, body, headers: refusalHeaders(contentType, body.length) };
  });
  const readLater = createPacedSockets();
  let refusing: { readonly sinceMs: number; readonly open: number; refused: number } | undefined;

  const closeOne = (urgent: boolean): void => {
    places.leave(urgent);
    if (refusing === undefined || places.count() > refusing.open / 2) return;
    event({
      name: 'overload.ended',
      refused: refusing.refused,
      durationMs: Math.round(performance.now() - refusing.sinceMs),
    });
    refusing = undefined;
  };
  return {
    refuses(request, response) {
      const path = pathOf(request.url ?? '');
      const own = paths.find((each) => path === each.path || path.startsWith(`${each.path}/`));
      if (own === undefined) return false;
      if (places.take(own.urgent)) {
        response.once('close', () => closeOne(own.urgent));
        return false;
      }
      if (refusing === undefined) {
        refusing = { sinceMs: performance.now(), open: places.count(), refused: 0 };
        event({ name: 'overload.started', open: refusing.open });
      }
      refusing.refused += 1;
      event({ name: 'request.refused' });
      response.writeHead(503, own.headers);
      response.once('finish', () => readLater(request.socket));
      response.end(own.body);
      return true;
    },
    count: () => places.count(),
  };
}

function refusalHeaders(contentType: string, length: number): Record<string, string | number> {
  return {
    'Content-Type': contentType,
    'Content-Length': length,
    'Retry-After': String(retryAfterSeconds),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  };
}

/** Express matches paths whatever their case; the query and, in a proxy's form of a URL, the origin are no part of it. */
function pathOf(url: string): string {
  const [path = ''] = (url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/]*/i, '')).split('?');
  return path.toLowerCase();
}
