import { createFhirClient } from '../fhir/client/fhir-client.ts';
import { belowBase } from '../fhir/reference.ts';
import type { ResourceValidator } from '../fhir/validate-resource.ts';
import { PredictionError } from '../platform/errors.ts';
import type { Outbound } from '../platform/outbound/create-outbound.ts';
import { createHttpRecordSource } from '../records/http-record-source.ts';
import type { RecordSource } from '../records/record-source.ts';
import type { OpenServer, PredictionParts } from './prediction-parts.ts';

export interface NamedServers {
  readonly own: { readonly source: RecordSource; readonly subjectBase: string };
  /** Absolute bases of the servers that may be asked. */
  readonly listed: readonly string[];
  readonly outbound: Pick<Outbound, 'to'>;
  readonly timeoutMs: number;
  readonly maxResources: number;
  readonly validator: Pick<ResourceValidator, 'findings'>;
}

/**
 * Throws CONFIG_INVALID where a listed server has an address under which this server's own store is, or was, reached:
 * its patients would be taken for the other's.
 */
export function refuseOwnBases({ own, listed }: Pick<NamedServers, 'own' | 'listed'>): void {
  const { base, earlierBases = [] } = own.source;
  const taken = listed.find((each) => [base, ...earlierBases].some((known) => isSameBase(each, known)));
  if (taken === undefined) return;
  throw new PredictionError(
    'CONFIG_INVALID',
    `CDS_FHIR_SERVERS lists ${taken}, which is, or was at the first start, the address of this server's own store. The own store may always be named; take it from the list, or give this server another DATA_DIR or DATABASE_URL.`,
  );
}

/**
 * Opens the server that a call names, if it may be asked: the own store under any of its bases, without HTTP and without
 * the token, or a listed one with the token of the call alone.
 */
export function openNamedServer(
  { own, listed, ...options }: NamedServers,
  base: string,
  accessToken: string | undefined,
): OpenServer | undefined {
  const { source } = own;
  if ([source.base, ...(source.earlierBases ?? [])].some((known) => isSameBase(base, known))) {
    return { ...own, close: async () => undefined };
  }
  const known = listed.find((each) => isSameBase(base, each));
  if (known === undefined) return undefined;
  const client = createFhirClient({
    base: withoutTrailingSlash(known),
    outbound: options.outbound,
    timeoutMs: options.timeoutMs,
    maxResources: options.maxResources,
    ...(accessToken === undefined ? {} : { headers: { authorization: `Bearer ${accessToken}` } }),
  });
  const remote = createHttpRecordSource(client, options.validator);
  return { source: remote, subjectBase: remote.base, close: () => client.close() };
}

/** However the two are spelled: case of the host, a default port, a slash at the end. */
function isSameBase(one: string, other: string): boolean {
  return belowBase(`${withoutTrailingSlash(one)}/x`, withoutTrailingSlash(other)) === 'x';
}

function withoutTrailingSlash(base: string): string {
  return base.replace(/\/+$/, '');
}

/**
 * The base by which results name the subjects of a server that a call names: told by opening it, as the path does. Of a server
 * that may not be asked its origin alone: a path can hold what is nobody else's business.
 */
export async function subjectBaseOf(
  { openServer }: Pick<PredictionParts, 'openServer'>,
  base: string,
): Promise<string> {
  const server = openServer(base, undefined);
  if (server === undefined) return URL.parse(base)?.origin ?? 'urn:fhirsight:caller';
  await server.close();
  return server.subjectBase;
}
