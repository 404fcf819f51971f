import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Router } from 'express';
import { cdsAccess } from '../../src/http/access/cds-access.ts';
import type { CdsClientSettings } from '../../src/http/access/cds-client-section.ts';
import { openCdsClients } from '../../src/http/access/cds-key-sets.ts';
import { createReplayStore } from '../../src/http/access/replay-store.ts';
import type { Principal } from '../../src/http/principal.ts';
import { requestContext } from '../../src/http/request-context.ts';
import { createApp } from '../../src/http/server-app.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import type { Logger } from '../../src/platform/logger.ts';

export interface CdsAccessServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Everybody who was let in, and by which path. */
  readonly letIn: { readonly path: string; readonly principal: Principal }[];
  close(): Promise<void>;
}

export interface CdsAccessServerOptions {
  readonly clients: readonly CdsClientSettings[];
  /** Shared by servers that are replicas of one. */
  readonly database: Database;
  readonly clock: Clock;
  /** What the key sets are fetched with. */
  readonly fetch: typeof globalThis.fetch;
  /** By which clients know it. */
  readonly publicUrl: string;
  readonly logger: Logger;
}

/** The door of `/cds-services` in the real app; behind it only who came in is written down. */
export async function startCdsAccessServer(options: CdsAccessServerOptions): Promise<CdsAccessServer> {
  const { database, clock, fetch, publicUrl, logger } = options;
  const replays = createReplayStore({
    database,
    background: database.background,
    tenant: 'test',
    clock,
    event: (event) => logger.event(event),
  });
  const clients = await openCdsClients(options.clients, { fetch, clock });
  const letIn: { path: string; principal: Principal }[] = [];
  const behind = Router();
  behind.use(cdsAccess({ clients, replays, servicesUrl: `${publicUrl}/cds-services`, clock }));
  behind.use((request, response) => {
    letIn.push({ path: request.path, principal: requestContext(response).principal });
    response.status(200).json({});
  });
  const app = createApp({
    routes: [{ path: '/cds-services', handler: behind, ownFormat: true }],
    corsOrigins: ['https://ehr.example.org'],
    newRequestId: randomUUID,
    logger,
    notReady: async () => [],
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    letIn,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await replays.close();
    },
  };
}
