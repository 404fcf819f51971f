import type { Interaction } from '../unreachable.ts';
import { unreachable } from '../unreachable.ts';
import type { ClientAlgorithm } from './client-keys.ts';

/** Where tokens are asked for, and which signatures are taken there. */
export interface TokenEndpoint {
  readonly url: string;
  /** Absent: the server does not say. */
  readonly algorithms?: readonly string[];
}

const setIt = 'Set FHIR_TOKEN_URL to the address of its token endpoint.';

/**
 * Asks a FHIR server where its tokens are (SM-1). Only an endpoint of its own origin is believed: whoever answers in its place could else
 * have the assertions sent to himself. Throws RECORD_UNREACHABLE.
 */
export async function discoverTokenEndpoint(base: string, fetch: typeof globalThis.fetch): Promise<TokenEndpoint> {
  const interaction: Interaction = { base, name: 'smart-configuration' };
  const failed = (happened: string, cause?: unknown) =>
    unreachable(interaction, happened, setIt, cause === undefined ? {} : { cause });
  let value: unknown;
  try {
    const response = await fetch(`${base}/.well-known/smart-configuration`, {
      headers: { accept: 'application/json' },
    });
    if (response.status !== 200) throw failed(`has no SMART configuration (${response.status})`);
    value = JSON.parse(await response.text());
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'PredictionError') throw cause;
    throw failed('gave no SMART configuration', cause);
  }
  const stated = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const endpoint = typeof stated.token_endpoint === 'string' ? URL.parse(stated.token_endpoint, `${base}/`) : null;
  if (endpoint === null) throw failed('names no token endpoint');
  if (endpoint.origin !== new URL(base).origin) throw failed(`names a token endpoint elsewhere, at ${endpoint.host}`);
  endpoint.hash = '';
  const algorithms = stated.token_endpoint_auth_signing_alg_values_supported;
  if (!Array.isArray(algorithms) || algorithms.length === 0) return { url: endpoint.href };
  return { url: endpoint.href, algorithms: algorithms.filter((one): one is string => typeof one === 'string') };
}

/** True where the endpoint takes signatures of that algorithm, or does not say. */
export function takes({ algorithms }: TokenEndpoint, algorithm: ClientAlgorithm): boolean {
  return algorithms === undefined || algorithms.includes(algorithm);
}
