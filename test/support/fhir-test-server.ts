import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { capabilityStatement } from '../../src/fhir/capability-statement.ts';
import { createSqlRepository, type SqlRepository } from '../../src/fhir/store/sql-repository.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { fhirRoutes } from '../../src/http/fhir-routes.ts';
import { createApp, type MountedRoute } from '../../src/http/server-app.ts';
import { type Clock, systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import type { Logger } from '../../src/platform/logger.ts';
import { openTestDatabase } from './test-database.ts';

export interface FhirTestServer {
  /** The origin, without a trailing slash. */
  readonly origin: string;
  /** The FHIR base. */
  readonly base: string;
  readonly database: Database;
  readonly repository: SqlRepository;
  readonly events: LogEvent[];
  close(): Promise<void>;
}

export const maxBodyBytes = 2 * 2 ** 20;

/** The real app over a real database on a port of its own. */
export async function startFhirTestServer(
  options: { readonly routes?: readonly MountedRoute[]; readonly clock?: Clock; readonly timeZone?: string } = {},
): Promise<FhirTestServer> {
  const { database, close: closeDatabase } = await openTestDatabase();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const base = `${origin}/fhir/R4`;
  const repository = createSqlRepository({
    database,
    tenant: 'test',
    baseUrl: base,
    clock: options.clock ?? systemClock,
    newId: randomUUID,
    timeZone: options.timeZone ?? 'America/New_York',
    validator: createResourceValidator(),
  });
  const events: LogEvent[] = [];
  const logger: Logger = { event: (event) => void events.push(event), with: () => logger };
  const statement = capabilityStatement({
    baseUrl: base,
    version: '0.0.0',
    date: new Date(),
    operations: [],
    security: { smart: false, cors: false, description: 'Nobody is asked for a token.' },
  });
  const app = createApp({
    routes: [
      ...(options.routes ?? []),
      { path: '/fhir/R4', handler: fhirRoutes({ repository, capabilityStatement: statement, maxBodyBytes }) },
    ],
    newRequestId: randomUUID,
    logger,
    notReady: async () => [],
  });
  server.on('request', app);
  return {
    origin,
    base,
    database,
    repository,
    events,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await closeDatabase();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; empty where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every kind
  readonly body: any;
}

/** Sends one FHIR request; objects are sent as FHIR JSON. */
export async function send(
  url: string,
  method = 'GET',
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/fhir+json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text === '' ? {} : JSON.parse(text) };
}
