import { createFhirClient } from './fhir/client/fhir-client.ts';
import type { SqlRepository } from './fhir/store/sql-repository.ts';
import { httpStudyIndex } from './fhir/studies/http-study-index.ts';
import { storeStudyIndex } from './fhir/studies/store-study-index.ts';
import type { StudyIndex } from './fhir/studies/study-index.ts';
import type { Config } from './platform/config.ts';
import type { RecordSource } from './records/record-source.ts';
import type { RecordServerParts } from './wire-record-server.ts';

/** Studies that one search at another server may give. */
const mostStudies = 1_000_000;

/** The studies of the record source. Searches at another server are asked to be strict: an ignored parameter would find others. */
export function openStudies(
  config: Pick<Config, 'fhirBaseUrl' | 'fhirTimeoutMs'>,
  { repository, source }: { readonly repository: SqlRepository; readonly source: RecordSource },
  { outbound, credentials }: Pick<RecordServerParts, 'outbound' | 'credentials'>,
  opened: (close: () => Promise<void>) => void,
): StudyIndex {
  if (config.fhirBaseUrl === undefined)
    return storeStudyIndex(repository, [source.base, ...(source.earlierBases ?? [])]);
  const client = createFhirClient({
    base: config.fhirBaseUrl,
    outbound,
    credentials,
    timeoutMs: config.fhirTimeoutMs,
    maxResources: mostStudies,
    headers: { prefer: 'handling=strict' },
  });
  opened(() => client.close());
  return httpStudyIndex(client);
}
