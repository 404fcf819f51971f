import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { OutboundRefused } from './outbound-refused.ts';

export interface FetchLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Told of a refusal, and gives it back. */
  readonly refused: (origin: string, error: OutboundRefused) => OutboundRefused;
}

/** Statuses whose answers have no body by definition; a Response may not be given one. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A function of the shape of the global fetch for small answers that are read whole: a body to send is text; redirects are refused,
 * whatever is asked for, and nothing is unpacked.
 * @param connectionsTo throws OutboundRefused for an origin that may not be asked
 */
export function guardedFetch(
  connectionsTo: (origin: string) => Dispatcher,
  { maxBytes, timeoutMs, refused }: FetchLimits,
): typeof globalThis.fetch {
  return async (input, init) => {
    const asked = new Request(input, { ...init, redirect: 'manual' });
    const { origin } = new URL(asked.url);
    const dispatcher = connectionsTo(origin);
    const time = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([asked.signal, time]);
    const text = asked.body === null ? undefined : await asked.text();
    const { statusCode, headers, body } = await request(asked.url, {
      method: asked.method as Dispatcher.HttpMethod,
      headers: { ...Object.fromEntries(asked.headers), 'accept-encoding': 'identity' },
      ...(text === undefined ? {} : { body: text }),
      dispatcher,
      signal,
    });
    if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) {
      breakOff(body);
      throw refused(origin, new OutboundRefused('redirect', `${origin} redirects elsewhere, which is not followed.`));
    }
    const bytes = await readBody(body, maxBytes, () =>
      refused(origin, new OutboundRefused('too-long', `${origin} answered more than ${maxBytes} bytes.`)),
    );
    const received = new Headers();
    for (const [name, value] of Object.entries(headers)) {
      for (const one of [value ?? []].flat()) received.append(name, one);
    }
    return new Response(bodiless.has(statusCode) ? null : bytes, { status: statusCode, headers: received });
  };
}

async function readBody(
  body: Readable,
  maxBytes: number,
  tooLong: () => OutboundRefused,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) {
      breakOff(body);
      throw tooLong();
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** Ends the connection rather than read what is not wanted. */
function breakOff(body: Readable): void {
  body.on('error', () => undefined); // says that it was broken off
  body.destroy();
}
