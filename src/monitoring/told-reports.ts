import type { Clock } from '../platform/clock.ts';
import type { Sql } from '../platform/database.ts';
import type { NamedModel } from '../prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../prediction/prediction-request.ts';
import type { StandingOutcome } from '../prediction/study-reports.ts';
import { keepRows } from './keep-rows.ts';
import { framed, type LoggedVerdict, modelColumns, type PredictionRow } from './prediction-row.ts';

/** A card about a study that gives neither a number nor an abstention. */
export interface UnsaidOfStudy {
  /** `ImagingStudy/id` */
  readonly study: string;
  readonly model: NamedModel;
  readonly subjectBase: string;
  readonly asOf: Date;
  /** Id of the outcome that the card is about. */
  readonly outcome: string;
  /** As the card has it. */
  readonly state: 'computing' | 'not-computed' | 'withheld';
}

/** What is told of a study, and who is told. */
export type ToldReport = {
  readonly request: PredictionRequest;
  /** From the call to the card. */
  readonly totalMs: number;
} & ({ readonly said: StandingOutcome } | { readonly unsaid: UnsaidOfStudy });

export interface ToldReportOptions {
  readonly database: Sql;
  readonly clock: Clock;
  readonly tenant: string;
  readonly newId: () => string;
}

/**
 * Keeps account of whoever was shown what stands of a study, or that nothing does, in one statement: nothing was predicted, but
 * something was told of a patient. A row has the result and the scores that were shown, so that an answer to the card is one to that
 * result; of what was read when it was made the row of that prediction tells.
 */
export async function keepToldReports(
  { database, clock, tenant, newId }: ToldReportOptions,
  told: readonly ToldReport[],
): Promise<void> {
  if (told.length === 0) return;
  const recorded = clock.now();
  await keepRows(
    database,
    told.map((one) => ({ row: rowOfTold({ id: newId(), tenant, recorded }, one) })),
  );
}

type Frame = Pick<PredictionRow, 'id' | 'tenant' | 'recorded'>;

const nothingRead = {
  error_code: null,
  input_references: null,
  input_hash: null,
  missing: null,
  assumed: null,
  result_type: 'DiagnosticReport',
} as const;

function rowOfTold(frame: Frame, told: ToldReport): PredictionRow {
  const { request, totalMs } = told;
  if ('unsaid' in told) {
    const { study, subjectBase, model, asOf, outcome: about, state: unsaid } = told.unsaid;
    return {
      ...framed({ ...frame, totalMs }, { ...request, focus: study }, {}),
      ...nothingRead,
      fhir_base: subjectBase,
      ...modelColumns(model),
      as_of: asOf,
      result: null,
      state: 'abstained',
      scores: null,
      verdicts: { [about]: { state: unsaid, reasons: [] } },
      written: null,
    };
  }
  const { study, outcome, report } = told.said;
  const { fhirBase, modelId: id, modelVersion: version, modelDigest: digest, state, scores } = outcome;
  return {
    ...framed({ ...frame, totalMs }, { ...request, focus: study.reference }, {}),
    ...nothingRead,
    fhir_base: fhirBase,
    ...modelColumns({ id, version, digest }),
    as_of: outcome.asOf,
    result: outcome.identifier,
    state,
    scores: scores ?? null,
    verdicts: unspoken(outcome.verdicts),
    written: report?.id ?? null,
  };
}

function unspoken(verdicts: StandingOutcome['outcome']['verdicts']): Record<string, LoggedVerdict> {
  return Object.fromEntries(
    Object.entries(verdicts as Readonly<Record<string, LoggedVerdict>>).filter(([, { state }]) => state !== 'score'),
  );
}
