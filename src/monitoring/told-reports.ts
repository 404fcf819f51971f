import type { Clock } from '../platform/clock.ts';
import type { Sql } from '../platform/database.ts';
import type { PredictionRequest } from '../prediction/prediction-request.ts';
import type { StandingOutcome } from '../prediction/study-reports.ts';
import { keepRows } from './keep-rows.ts';
import { framed, type LoggedVerdict, modelColumns, type PredictionRow } from './prediction-row.ts';

/** What stands of a study, and who is shown it. */
export interface ToldReport {
  readonly request: PredictionRequest;
  readonly said: StandingOutcome;
  /** From the call to the card. */
  readonly totalMs: number;
}

export interface ToldReportOptions {
  readonly database: Sql;
  readonly clock: Clock;
  readonly tenant: string;
  readonly newId: () => string;
}

/**
 * Keeps account of whoever was shown what stands of a study: nothing was predicted, but a number was told. The row has the
 * result and the scores that were shown, so that an answer to the card is one to that result; of what was read when it was made the row of
 * that prediction tells.
 */
export async function keepToldReport(
  { database, clock, tenant, newId }: ToldReportOptions,
  told: ToldReport,
): Promise<void> {
  await keepRows(database, [{ row: rowOfTold({ id: newId(), tenant, recorded: clock.now() }, told) }]);
}

function rowOfTold(
  frame: Pick<PredictionRow, 'id' | 'tenant' | 'recorded'>,
  { request, said: { study, outcome, report }, totalMs }: ToldReport,
): PredictionRow {
  const { fhirBase, modelId: id, modelVersion: version, modelDigest: digest, state, scores } = outcome;
  return {
    ...framed({ ...frame, totalMs }, { ...request, focus: study.reference }, {}),
    fhir_base: fhirBase,
    ...modelColumns({ id, version, digest }),
    as_of: outcome.asOf,
    result: outcome.identifier,
    state,
    error_code: null,
    scores: scores ?? null,
    verdicts: unspoken(outcome.verdicts),
    input_references: null,
    input_hash: null,
    missing: null,
    assumed: null,
    result_type: 'DiagnosticReport',
    written: report?.id ?? null,
  };
}

function unspoken(verdicts: StandingOutcome['outcome']['verdicts']): Record<string, LoggedVerdict> {
  return Object.fromEntries(
    Object.entries(verdicts as Readonly<Record<string, LoggedVerdict>>).filter(([, { state }]) => state !== 'score'),
  );
}
