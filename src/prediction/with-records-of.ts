import { isFhirId } from '../fhir/reference.ts';
import { prereadSource } from '../records/preread-source.ts';
import type { PredictionParts } from './prediction-parts.ts';

/**
 * Parts whose source holds the records of these subjects for one model and one as-of, all of one state of the data, read
 * with one statement; the same parts where the source cannot do that. A prediction with them is the very same as without:
 * whatever was not read for it (another model or as-of, an encounter, seeds) is asked of the source.
 * Throws MODEL_UNKNOWN, and whatever the source throws.
 * @param subjects logical ids of Patients; a few dozen at most, for their records are held until the parts are let go
 */
export async function withRecordsOf<Parts extends Pick<PredictionParts, 'source' | 'findModel'>>(
  parts: Parts,
  subjects: readonly string[],
  model: { readonly id: string; readonly version?: string },
  asOf: Date,
): Promise<Parts> {
  const { source } = parts;
  const ids = [...new Set(subjects)].filter(isFhirId);
  if (source.readMany === undefined || ids.length === 0) return parts;
  const { queriesAt } = parts.findModel(model.id, model.version);
  const wanted = { subjects: ids, queries: queriesAt(asOf), also: [] };
  return { ...parts, source: prereadSource(source, wanted, await source.readMany(wanted)) };
}
