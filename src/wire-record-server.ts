import { createFhirClient } from './fhir/client/fhir-client.ts';
import type { Credentials } from './fhir/client/get-resource.ts';
import { keptServerProfile } from './fhir/client/kept-server-profile.ts';
import type { DeclaredServerFile } from './fhir/client/read-declared-server.ts';
import type { ResourceValidator } from './fhir/validate-resource.ts';
import type { Config } from './platform/config.ts';
import type { Outbound } from './platform/outbound/create-outbound.ts';
import { createHttpRecordSource } from './records/http-record-source.ts';
import type { RecordSource } from './records/record-source.ts';

export interface RecordServerParts {
  readonly validator: ResourceValidator;
  readonly declared: DeclaredServerFile;
  readonly outbound: Pick<Outbound, 'to'>;
  /** Of this server there; absent: it is asked without a token. */
  readonly credentials?: Credentials | undefined;
}

/** The server at FHIR_BASE_URL, searched as it can be: the same for predictions and for the training matrix. */
export function openRecordServer(
  config: Config,
  base: string,
  { validator, declared, outbound, credentials }: RecordServerParts,
  opened: (close: () => Promise<void>) => void,
): RecordSource {
  const client = createFhirClient({
    base,
    outbound,
    credentials,
    timeoutMs: config.fhirTimeoutMs,
    maxResources: config.fhirMaxResources,
    // A parameter that the server does not know is said to be unknown, not passed over.
    headers: { prefer: 'handling=strict' },
  });
  opened(() => client.close());
  const profile = keptServerProfile(client, declared);
  // Read at the start; where that fails, whoever searches first reads it again and is told.
  profile().catch(() => undefined);
  return createHttpRecordSource(client, validator, profile);
}
