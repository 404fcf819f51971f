import type { RunRoutesOptions } from './entrances/cohort/run-routes.ts';
import type { PredictOperation } from './entrances/fhir-operation/predict-operation.ts';
import { type DataNeed, reachOf, requireData } from './http/access/fhir-data.ts';
import { requirePrediction } from './http/access/require-prediction.ts';
import type { Catalog } from './model-catalog/catalog.ts';
import { dataNeeds } from './model-catalog/data-needs.ts';
import { isOfStudies } from './runs/run.ts';

/** Whether whoever asks for a prediction may have read and written what the model reads and writes. */
export function predictionAccess(catalog: Pick<Catalog, 'describe'>): PredictOperation['authorise'] {
  return (principal, { model, version, subject, encounter, origin, writeBack }) => {
    if (principal.fhir === 'everything') return;
    const needs = dataNeeds(catalog.describe(model, version), {
      readsRecord: origin?.from !== 'caller',
      encounter: encounter !== undefined,
      writesBack: writeBack,
    });
    requirePrediction(principal, subject, needs);
  };
}

/** The same for a run, which is about many, and for its members. */
export function runAccess(
  catalog: Pick<Catalog, 'describe'>,
): Pick<RunRoutesOptions, 'authorise' | 'authoriseMembers' | 'seesSearches'> {
  return {
    authorise(principal, { model, version, cohort, writeBack = true }) {
      if (principal.fhir === 'everything') return;
      const needs = dataNeeds(catalog.describe(model, version), {
        readsRecord: true,
        encounter: false,
        writesBack: writeBack,
      });
      const who: readonly DataNeed[] = [
        ...('group' in cohort ? [{ type: 'Group', interaction: 'r' } as const] : []),
        ...(isOfStudies(cohort) ? [{ type: 'ImagingStudy', interaction: 's' } as const] : []),
      ];
      requireData(principal, [{ type: 'Patient', interaction: 's' }, ...needs, ...who], undefined);
    },
    seesSearches: (principal) => reachOf(principal, 'Patient', 's').of === 'everybody',
    authoriseMembers(principal, cohort) {
      // Where it cannot be told what the cohort is of, it may be of either.
      const mayBeOfStudies = cohort !== undefined && ('sealedWith' in cohort || isOfStudies(cohort));
      const ofStudies = mayBeOfStudies ? ['ImagingStudy', 'DiagnosticReport'] : [];
      requireData(
        principal,
        ['Patient', 'RiskAssessment', 'Observation', ...ofStudies].map((type) => ({ type, interaction: 'r' as const })),
        undefined,
      );
    },
  };
}
