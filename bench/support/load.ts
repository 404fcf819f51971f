import autocannon, { type Client, type Request, type Result } from 'autocannon';

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Load {
  readonly url: string;
  readonly contentType: string;
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second in all; absent: as many as the server answers. */
  readonly rate?: number;
  /** Gives the header of each call anew. */
  readonly authorization?: () => string;
}

/**
 * The generator makes its connections one after the other, some 10 ms each, and meanwhile reads no answer: the first
 * calls of a round seem to take hundreds of milliseconds. They are not counted.
 */
const settlingSeconds = 1;

/** Asks for a while, each connection one request after the other. Throws for any answer that is not 2xx. */
export async function load({
  url,
  contentType,
  bodies,
  connections,
  seconds,
  rate,
  authorization,
}: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  /** How often each status that is no success came. */
  const refusals = new Map<number, number>();
  const startedMs = performance.now();
  let endedMs = startedMs;
  const result = await new Promise<Result>((resolve, reject) => {
    const running = autocannon(
      {
        url,
        connections,
        duration: settlingSeconds + seconds,
        method: 'POST',
        headers: { 'content-type': contentType },
        requests: bodies.map((body) => ({ body })),
        // Each connection has requests of its own: those of the options are shared, with what was last written into them.
        ...(authorization && {
          setupClient: (client: Client) =>
            client.setRequests(
              bodies.map((body) => ({
                method: 'POST' as const,
                body,
                setupRequest: (request: Request) => ({
                  ...request,
                  headers: { ...request.headers, authorization: authorization() },
                }),
              })),
            ),
        }),
        ...(rate === undefined ? {} : { overallRate: rate }),
      },
      (error: unknown, finished) => (error ? reject(error) : resolve(finished)),
    );
    running.on('response', (_client, status, _bytes, latencyMs) => {
      if (status > 299) refusals.set(status, (refusals.get(status) ?? 0) + 1);
      endedMs = performance.now();
      if (endedMs - latencyMs > startedMs + settlingSeconds * 1_000) latencies.push(latencyMs);
    });
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(
      `${url} answered ${result.non2xx} of ${result.requests.total} with an error (${[...refusals].map(([status, count]) => `${status} ${count} times`).join(', ')}; ${result.errors} broken)`,
    );
  }
  if (latencies.length === 0) throw new Error(`${url} answered nothing within ${seconds} s`);
  latencies.sort((one, other) => one - other);
  const at = (share: number): number => latencies[Math.ceil(share * latencies.length) - 1] ?? Number.NaN;
  return {
    requestsPerSecond: (latencies.length * 1_000) / (endedMs - startedMs - settlingSeconds * 1_000),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** Half lie above, half below. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
