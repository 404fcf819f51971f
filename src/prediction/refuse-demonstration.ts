import type { Manifest } from '../model-catalog/manifest-schema.ts';
import { PredictionError } from '../platform/errors.ts';
import type { PredictionParts } from './prediction-parts.ts';

/** Throws DEMONSTRATION_ONLY where a result of the model may not be written: it is for no patient, and another server would get it. */
export function refuseDemonstration(
  { writesDemonstrations }: Pick<PredictionParts, 'writesDemonstrations'>,
  { id, version, demonstration }: Pick<Manifest, 'id' | 'version' | 'demonstration'>,
): void {
  if (demonstration === undefined || writesDemonstrations) return;
  throw new PredictionError(
    'DEMONSTRATION_ONLY',
    `${id}@${version} is a demonstration model, not for clinical use: its results are not written where they reach another server, by FHIR_BASE_URL or SINKS_FILE. Leave out writeBack (of a cohort run: writeBack false), or set DEMONSTRATION_MODELS=on on a server for tests.`,
  );
}
