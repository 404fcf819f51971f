import type { Patient, Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import type { RecordReader } from './record-source.ts';

/** Base of subjects that only a caller holds: no server has them. */
export const callerBase = 'urn:fhirsight:caller';

/** Types that the path asks for by id. */
const readByName: ReadonlySet<string> = new Set(['Patient', 'Encounter', 'Medication', 'Endpoint']);

/**
 * The record of one subject as the caller of one prediction holds it; nobody else is asked. Its resources are also the
 * seeds of the prediction, and so reach the record.
 * Throws RECORD_UNREACHABLE for a question that was not answered.
 * @param answered keys of the queries that were answered, and `patient`; absent: all
 */
export function callerReader(resources: readonly Resource[], answered?: ReadonlySet<string>): RecordReader {
  const byName = new Map<string, Resource>();
  for (const resource of resources) {
    const { resourceType, id } = resource;
    if (id !== undefined && readByName.has(resourceType)) byName.set(`${resourceType}/${id}`, resource);
  }
  return {
    base: callerBase,
    own: false,
    heldByCaller: true,
    async readMany({ subjects, queries }) {
      const missing = ['patient', ...queries.map(({ key }) => key)].filter((key) => answered?.has(key) === false);
      if (missing.length > 0) throw unanswered(missing);
      return {
        subjects: new Map(
          subjects.map((id) => {
            const patient = byName.get(`Patient/${id}`) as Patient | undefined;
            return [id, { rows: [], ...(patient && { patient }) }];
          }),
        ),
        others: byName,
      };
    },
  };
}

function unanswered(keys: readonly string[]): PredictionError {
  const message = `The call names no server to ask and does not hold all that the model needs: ${keys.join(', ')} missing. Send the missing data along, or name a server that is listed in CDS_FHIR_SERVERS.`;
  return new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'transient', message }] });
}
