import type { AccessSettings } from './access-schema.ts';
import { tokenAlgorithms } from './issuer-section.ts';
import { permissions } from './permissions.ts';

/**
 * `/.well-known/smart-configuration` below the FHIR base (SM-20): where clients get access tokens for this server, which makes
 * none itself. With one issuer, its token endpoint; with several or none that is declared, none is named.
 */
export function smartConfiguration({ issuers }: AccessSettings): object {
  const [endpoint, ...more] = new Set(issuers.flatMap(({ tokenEndpoint }) => tokenEndpoint ?? []));
  const algorithms = tokenAlgorithms.filter((name) => issuers.some((issuer) => issuer.algorithms.includes(name)));
  const own = issuers.some(({ grantsOwnScopes }) => grantsOwnScopes)
    ? permissions.map((name) => `fhirsight/${name}`)
    : [];
  return {
    ...(endpoint === undefined || more.length > 0 ? {} : { token_endpoint: endpoint }),
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    access_token_signing_alg_values_supported: algorithms,
    scopes_supported: ['system/*.cruds', 'user/*.cruds', 'patient/*.crs', ...own],
    code_challenge_methods_supported: ['S256'],
    capabilities: [
      'client-confidential-asymmetric',
      'permission-patient',
      'permission-user',
      'permission-v1',
      'permission-v2',
    ],
  };
}
