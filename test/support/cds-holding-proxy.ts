import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A FHIR server that keeps every request waiting until it is released, and then passes it on. */
export interface HoldingProxy {
  readonly base: string;
  /** Resolves when the first request has come. */
  readonly asked: Promise<void>;
  /** Of requests that went away before they were answered. */
  abandoned(): number;
  release(): void;
  /** Keeps requests waiting again. */
  hold(): void;
  close(): Promise<void>;
}

/** @param target FHIR base of the server that answers; it must answer in one page */
export async function startHoldingProxy(target: string): Promise<HoldingProxy> {
  let released = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  let abandoned = 0;
  const server = createServer(async (request, response) => {
    asked.resolve();
    response.once('close', () => {
      if (!response.writableFinished) abandoned += 1;
    });
    await released.promise;
    const answer = await fetch(`${new URL(target).origin}${request.url}`);
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? 'application/fhir+json',
    });
    response.end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(target).pathname}`,
    asked: asked.promise,
    abandoned: () => abandoned,
    release: () => released.resolve(),
    hold: () => {
      released = Promise.withResolvers<void>();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
