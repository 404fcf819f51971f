import type { AccessSettings } from './http/access/access-schema.ts';
import { smartConfiguration } from './http/access/smart-configuration.ts';
import type { StaticToken } from './http/access/static-tokens.ts';
import { createTokenVerifier, type TokenVerifier } from './http/access/token-verifier.ts';
import { readTokenFile } from './http/bearer-token.ts';
import { commandLineKey, type Principal, type Role, roles } from './http/principal.ts';
import type { MountedRoute } from './http/server-app.ts';
import type { Clock } from './platform/clock.ts';
import type { LogEvent } from './platform/events.ts';
import type { AllowedServer } from './platform/outbound/allowed-origins.ts';
import type { House } from './wire.ts';
import { keyServersOf, openCdsCallers } from './wire-cds-callers.ts';

/** Who may call, under AUTH=required. */
export interface Access {
  readonly verifyToken: TokenVerifier;
  /** Stands before all of `/cds-services`: lets in CDS clients and nobody else. */
  readonly cdsCallers: MountedRoute['handler'];
  /** What `/.well-known/smart-configuration` answers (SM-20). */
  readonly smartConfiguration: object;
  close(): Promise<void>;
}

/** The servers that ACCESS_FILE names and that are asked about tokens. No request chooses when, nor what for. */
export function serversOf({ issuers, cdsClients }: AccessSettings): AllowedServer[] {
  const ofIssuers = issuers.flatMap(({ jwksUri, introspection }) =>
    [jwksUri, introspection?.url].flatMap((url) =>
      url === undefined ? [] : [{ url, purpose: 'ACCESS_FILE', reach: 'private' as const }],
    ),
  );
  return [...ofIssuers, ...keyServersOf(cdsClients)];
}

/** Reads the files that ACCESS_FILE names. Throws CONFIG_INVALID. */
export async function openAccess(
  settings: AccessSettings,
  house: Pick<House, 'adminToken' | 'fhirBase' | 'outbound' | 'database' | 'prediction'>,
  parts: { readonly clock: Clock; readonly adminToken: string | undefined; readonly event: (event: LogEvent) => void },
): Promise<Access> {
  const staticTokens: StaticToken[] = [{ token: house.adminToken, principal: commandLine }];
  if (parts.adminToken !== undefined) staticTokens.push({ token: parts.adminToken, principal: administrator });
  for (const [index, { name, tokenFile, roles: held }] of settings.staticTokens.entries()) {
    const token = await readTokenFile(`ACCESS_FILE /staticTokens/${index}/tokenFile`, tokenFile);
    staticTokens.push({ token, principal: staticPrincipal(name, `static-token ${name}`, held) });
  }
  const { fhirBase, outbound, database, prediction } = house;
  const cds = await openCdsCallers(settings.cdsClients, {
    database,
    tenant: prediction.tenant,
    serverUrl: prediction.serverUrl,
    fetch: outbound.fetch,
    clock: parts.clock,
    event: parts.event,
  });
  return {
    verifyToken: await createTokenVerifier({
      access: settings,
      fhirBase,
      clock: parts.clock,
      fetch: outbound.fetch,
      staticTokens,
    }),
    cdsCallers: cds.handler,
    smartConfiguration: smartConfiguration(settings),
    close: () => cds.close(),
  };
}

function staticPrincipal(client: string, key: string, held: readonly Role[]): Principal {
  return {
    provedBy: 'static-token',
    client,
    key,
    roles: new Set(held),
    cdsHooks: { writesBack: false, systemActions: false },
  };
}

/** Whoever may read the data directory may do what its server may. */
const commandLine: Principal = {
  ...staticPrincipal('fhirsight on the command line', commandLineKey, roles),
  fhir: 'everything',
};

const administrator = staticPrincipal('the holder of ADMIN_TOKEN_FILE', 'admin-token', ['model-owner']);
