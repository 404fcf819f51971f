import { randomUUID } from 'node:crypto';
import type { Credentials } from './fhir/client/get-resource.ts';
import { backendCredentials } from './fhir/client/smart/backend-credentials.ts';
import { type ClientKeys, readClientKeys } from './fhir/client/smart/client-keys.ts';
import type { CatalogContents } from './model-catalog/catalog-contents.ts';
import { smartScopes } from './model-catalog/smart-scopes.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import type { Outbound } from './platform/outbound/create-outbound.ts';

/** This server as a client of the one at FHIR_BASE_URL. */
export interface OwnClient {
  readonly credentials: Credentials;
  readonly keys: ClientKeys;
}

/**
 * With the settings of FHIR_CLIENT_ID; undefined where that server is asked without a token.
 * @param contents the models that are served now: what they read is what a token must grant
 */
export async function openOwnClient(
  config: Config,
  parts: { readonly outbound: Outbound; readonly clock: Clock; readonly contents: () => CatalogContents },
): Promise<OwnClient | undefined> {
  const { fhirBaseUrl: base, fhirClientId: clientId, fhirClientKeysFile: file } = config;
  if (base === undefined || clientId === undefined || file === undefined) return undefined;
  const keys = await readClientKeys(file);
  const credentials = backendCredentials({
    base,
    clientId,
    keys,
    tokenUrl: config.fhirTokenUrl,
    requested: config.fhirClientScopes,
    needed: () =>
      smartScopes(
        parts.contents().versions.map(({ gathered }) => gathered),
        config.optOutBy,
      ).v2.system,
    fetch: parts.outbound.fetch,
    clock: parts.clock,
    newId: randomUUID,
  });
  return { credentials, keys };
}
