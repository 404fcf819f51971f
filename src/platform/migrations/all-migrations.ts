import type { Migration } from '../migrate.ts';
import { resourcesAndOutcomes } from './0001-resources-and-outcomes.ts';
import { predictionLog } from './0002-prediction-log.ts';
import { runs } from './0003-runs.ts';
import { deliveries } from './0004-deliveries.ts';
import { cdsFeedback } from './0005-cds-feedback.ts';
import { resultTypes } from './0006-result-types.ts';
import { versionRecords } from './0007-version-records.ts';
import { cdsReplay } from './0008-cds-replay.ts';
import { accessLog } from './0009-access-log.ts';
import { predictionValues } from './0010-prediction-values.ts';
import { operationJobs } from './0011-operation-jobs.ts';
import { heldCards } from './0012-held-cards.ts';
import { focusAndReuse } from './0013-focus-and-reuse.ts';
import { toldAtHooks } from './0014-told-at-hooks.ts';
import { sealedTexts } from './0015-sealed-texts.ts';
import { reports } from './0016-reports.ts';
import { reportLife } from './0017-report-life.ts';
import { studyNotices } from './0018-study-notices.ts';
import { reportReviews } from './0019-report-reviews.ts';
import { runsOverStudies } from './0021-runs-over-studies.ts';
import { jobsAskedOnce } from './0022-jobs-asked-once.ts';
import { cardsWithoutResults } from './0023-cards-without-results.ts';

/** Every migration, in order. One that was released is never changed: a correction is a new migration. */
export const allMigrations: readonly Migration[] = [
  resourcesAndOutcomes,
  predictionLog,
  runs,
  deliveries,
  cdsFeedback,
  resultTypes,
  versionRecords,
  cdsReplay,
  accessLog,
  predictionValues,
  operationJobs,
  heldCards,
  focusAndReuse,
  toldAtHooks,
  sealedTexts,
  reports,
  reportLife,
  studyNotices,
  reportReviews,
  runsOverStudies,
  jobsAskedOnce,
  cardsWithoutResults,
];
