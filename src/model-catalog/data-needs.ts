import type { LoadedVersion } from './model-version.ts';
import { neededTypes } from './needed-types.ts';
import { isRisk } from './outcome-score.ts';

/** An interaction with a FHIR type that a prediction makes on behalf of whoever asks for it. */
export interface DataNeed {
  readonly type: string;
  readonly interaction: 'r' | 's' | 'c';
}

/** What a prediction does beside reading what the feature map names. */
export interface PredictionUse {
  /** False: the caller brings the whole record. */
  readonly readsRecord: boolean;
  /** It is about an encounter. */
  readonly encounter: boolean;
  readonly writesBack: boolean;
}

/**
 * What whoever asks for a prediction must be allowed to do with FHIR data: read what the version reads, and create the
 * result where it is written back (SM-12). The search for an opt-out is this server's own, and so are the Device and the Provenance that
 * come with a result.
 */
export function dataNeeds(
  { gathered, manifest }: Pick<LoadedVersion, 'gathered' | 'manifest'>,
  { readsRecord, encounter, writesBack }: PredictionUse,
): DataNeed[] {
  const needs: DataNeed[] = [];
  if (readsRecord) {
    for (const { type, by } of neededTypes([gathered], [])) {
      needs.push({ type, interaction: 'r' });
      if (by === 'search') needs.push({ type, interaction: 's' });
    }
    const named = needs.some(({ type, interaction }) => type === 'Encounter' && interaction === 'r');
    if (encounter && !named) needs.push({ type: 'Encounter', interaction: 'r' });
  }
  const alone = manifest.outcomes.some(isRisk) ? 'RiskAssessment' : 'Observation';
  const result = manifest.report === undefined ? alone : 'DiagnosticReport';
  if (writesBack) needs.push({ type: result, interaction: 'c' });
  return needs;
}
