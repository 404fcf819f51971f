import type { FeatureMap } from '../../model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../model-catalog/manifest-schema.ts';
import { readsImages } from '../../model-catalog/reads-images.ts';
import { PredictionError } from '../../platform/errors.ts';
import { type Cohort, isOfStudies } from '../../runs/run.ts';

/** What a version says of itself, as far as it decides over whom it can be run. */
export interface RunnableModel {
  readonly manifest: Pick<Manifest, 'id' | 'report'>;
  readonly gathered: Pick<FeatureMap, 'features'>;
}

/**
 * Checks that a model predicts about what the cohort holds: one that reports on imaging studies is run over studies, every other one over patients.
 * Of a patient such a model would take the newest study, and the others would be passed over in silence; of a study a model without `report` would say what it says of the
 * patient, once for each of the patient's studies.
 * Throws PARAMETER_INVALID.
 */
export function requireFittingCohort(model: RunnableModel, cohort: Cohort): void {
  const { id, report } = model.manifest;
  const reports = report !== undefined && readsImages(model);
  if (reports === isOfStudies(cohort)) return;
  const message = reports
    ? `${id} reports on imaging studies, and this cohort is of patients: which of their studies are meant is not said. Send {"search": "ImagingStudy?…"}, with "since": "P1D" for those of the last day.`
    : `${id} makes no reports on imaging studies, and this cohort is of studies. Send a cohort of patients, or name a model that has 'report' in its manifest.`;
  throw new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'business-rule', message, expression: 'cohort' }],
  });
}
