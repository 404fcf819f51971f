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
 * it begins and ends is told once each: it ends where nobody was refused for a while.
 * @param guarded below these paths requests count
 * @param quietMs for how long
 */
export function createOpenRequests(
  guarded: readonly GuardedPath[],
  places: RequestPlaces,
  event: (event: LogEvent) => void,
  quietMs = 1_000 * retryAfterSeconds,
): OpenRequests {
  const paths = guarded.map(({ path, urgent, refusal: { contentType, text } }) => {
    const body = Buffer.from(text);
    return { path: path.toLowerCase(), urgent, body, headers: refusalHeaders(contentType, body.length) };
  });
  const readLater = createPacedSockets();
  let refusing: { readonly sinceMs: number; lastMs: number; refused: number } | undefined;

  const endWhereQuiet = (): void => {
    if (refusing === undefined) return;
    const { sinceMs, lastMs, refused } = refusing;
    if (performance.now() - lastMs >= quietMs) {
      event({ name: 'overload.ended', refused, durationMs: Math.round(lastMs - sinceMs) });
      refusing = undefined;
    } else setTimeout(endWhereQuiet, quietMs).unref();
  };
  return {
    refuses(request, response) {
      const path = pathOf(request.url ?? '');
      const own = paths.find((each) => path === each.path || path.startsWith(`${each.path}/`));
      // One whose caller is gone takes no place: nothing would tell of its end.
      if (own === undefined || response.closed) return false;
      if (places.take(own.urgent)) {
        response.once('close', () => places.leave(own.urgent));
        return false;
      }
      const nowMs = performance.now();
      if (refusing === undefined) {
        refusing = { sinceMs: nowMs, lastMs: nowMs, refused: 0 };
        event({ name: 'overload.started', open: places.count() });
        setTimeout(endWhereQuiet, quietMs).unref();
      }
      refusing.lastMs = nowMs;
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
