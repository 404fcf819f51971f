import { cdsAccess } from './http/access/cds-access.ts';
import type { CdsClientSettings } from './http/access/cds-client-section.ts';
import { openCdsClients } from './http/access/cds-key-sets.ts';
import { createReplayStore } from './http/access/replay-store.ts';
import type { MountedRoute } from './http/server-app.ts';
import type { Clock } from './platform/clock.ts';
import type { Database } from './platform/database.ts';
import type { LogEvent } from './platform/events.ts';
import type { AllowedServer } from './platform/outbound/allowed-origins.ts';

/** The door of `/cds-services`, under AUTH=required. */
export interface CdsCallers {
  readonly handler: MountedRoute['handler'];
  close(): Promise<void>;
}

export interface CdsCallersParts {
  readonly database: Database;
  readonly tenant: string;
  /** Of this server as clients see it, without a trailing slash. */
  readonly serverUrl: string;
  /** Reaches the servers of `keyServersOf`. */
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly event: (event: LogEvent) => void;
}

/** Where the keys of the clients are. No request chooses which of them is asked but by a listed `jku`. */
export function keyServersOf(clients: readonly CdsClientSettings[]): AllowedServer[] {
  return clients.flatMap(({ jku = [] }) =>
    jku.map((url) => ({ url, purpose: 'ACCESS_FILE', reach: 'public' as const })),
  );
}

/** Throws CONFIG_INVALID for a keysFile that holds no key. */
export async function openCdsCallers(
  clients: readonly CdsClientSettings[],
  { database, tenant, serverUrl, fetch, clock, event }: CdsCallersParts,
): Promise<CdsCallers> {
  const known = await openCdsClients(clients, { fetch, clock });
  const replays = createReplayStore({ database, background: database.background, tenant, clock, event });
  const servicesUrl = `${serverUrl}/cds-services`;
  return { handler: cdsAccess({ clients: known, replays, servicesUrl, clock }), close: () => replays.close() };
}
