import type { Config } from './platform/config.ts';
import type { Database } from './platform/database.ts';
import { keepOnce } from './platform/settings-table.ts';
import type { RecordSource } from './records/record-source.ts';
import { createStoreRecordSource, type StoreReader } from './records/store-record-source.ts';
import { openRecordServer, type RecordServerParts } from './wire-record-server.ts';

/** The own store; its subjects are named by the base of its first start. */
export async function openOwnSource(
  config: Config,
  database: Database,
  reader: StoreReader,
  base: string,
): Promise<{ source: RecordSource; subjectBase: string }> {
  const subjectBase = await keepOnce(database, config.tenant, 'own-fhir-base', base);
  return { source: createStoreRecordSource(reader, { base, earlierBases: [subjectBase] }), subjectBase };
}

/** The server at FHIR_BASE_URL, or else the own store; and the base that names its subjects. */
export function openSource(
  config: Config,
  own: { source: RecordSource; subjectBase: string },
  parts: RecordServerParts,
  opened: (close: () => Promise<void>) => void,
): { source: RecordSource; subjectBase: string } {
  if (config.fhirBaseUrl === undefined) return own;
  const source = openRecordServer(config, config.fhirBaseUrl, parts, opened);
  return { source, subjectBase: source.base };
}
