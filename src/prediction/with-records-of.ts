import { isFhirId } from '../fhir/reference.ts';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import { prereadSource } from '../records/preread-source.ts';
import type { PredictionParts } from './prediction-parts.ts';

/**
 * Parts whose source holds what these queries ask about these subjects (all that one model reads for one as-of), all of one state of the data, read
 * with one statement; the same parts where the source cannot do that. A prediction with them is the very same as without:
 * whatever was not read for it (another model or as-of, an encounter, seeds) is asked of the source.
 * Throws whatever the source throws.
 * @param subjects logical ids of Patients; a few dozen at most, for their records are held until the parts are let go
 */
export async function withRecordsOf<Parts extends Pick<PredictionParts, 'source'>>(
  parts: Parts,
  subjects: readonly string[],
  queries: readonly RecordQuery[],
): Promise<Parts> {
  const { source } = parts;
  const ids = [...new Set(subjects)].filter(isFhirId);
  if (source.readMany === undefined || ids.length === 0) return parts;
  const wanted = { subjects: ids, queries, also: [] };
  return { ...parts, source: prereadSource(source, wanted, await source.readMany(wanted)) };
}
