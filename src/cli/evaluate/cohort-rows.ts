import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictableModel } from '../../prediction/prediction-parts.ts';
import type { RowFacts } from '../extract/matrix-columns.ts';
import { matrixRows, type RowParts } from '../extract/matrix-rows.ts';
import type { Extraction } from '../extract/open-extraction.ts';
import type { RowChoice } from '../extract/row-choice.ts';
import { rowRequests, slicesOf } from '../extract/row-requests.ts';
import type { CohortLabels } from './cohort-labels.ts';
import type { EvaluationRow, RowStream } from './evaluation-row.ts';
import { labelRecords } from './label-records.ts';
import { patientGroupings, patientGroups } from './patient-groups.ts';

/** Which outcome is evaluated, and how its rows get their truth. */
export interface Labelling {
  readonly outcome: Outcome;
  readonly labels: CohortLabels;
}

/**
 * The rows of a cohort as `extract` makes them, by the very same call as a prediction; then, of those that the model may
 * speak about, what became of them. What is read for a label is read after the inputs and never reaches them.
 * Throws what concerns all rows.
 */
export function cohortRows(
  { parts, cohorts }: Extraction,
  model: PredictableModel,
  choice: RowChoice,
  labelling: Labelling,
  signal: AbortSignal,
): RowStream {
  const asked = { ...parts, cohorts, now: () => parts.clock.now() };
  const made = matrixRows(parts, model, rowRequests(asked, choice, signal), signal);
  const rows = async function* (): AsyncGenerator<EvaluationRow> {
    for await (const slice of slicesOf(made, parts.sliceSize)) yield* await labelled(parts, slice, labelling, signal);
  };
  return { rows: rows(), groupings: patientGroupings };
}

type Scorable = RowFacts & Required<Pick<RowFacts, 'x' | 'asOf'>>;

async function labelled(
  parts: RowParts,
  slice: readonly RowFacts[],
  { outcome, labels }: Labelling,
  signal: AbortSignal,
): Promise<EvaluationRow[]> {
  const begun = slice.map((row) => beforeLabel(row, outcome));
  const subjects = new Set(begun.flatMap((row) => ('x' in row ? [row.subject] : [])));
  const records = await labelRecords(parts, [...subjects], labels.queries, signal);
  return begun.map((row): EvaluationRow => {
    if (!('x' in row)) return row;
    const record = records.get(row.subject);
    if (record === undefined || 'code' in record) return { state: 'failed', code: record?.code ?? 'INTERNAL' };
    const { patient, rows } = record;
    if (patient === undefined) return { state: 'failed', code: 'SUBJECT_UNKNOWN' };
    const label = labels.of(row, patient, rows);
    if (label === undefined) return { state: 'without-label' };
    if ('leftOut' in label) return { state: 'left-out', reason: label.leftOut };
    return {
      state: 'labelled',
      x: row.x,
      truth: label.truth,
      groups: patientGroups(patient, row.asOf, parts.timeZone),
    };
  });
}

/** What is known of a row without its label: it failed, the model may not speak, or what the model is given. */
function beforeLabel(
  row: RowFacts,
  { id }: Outcome,
): Extract<EvaluationRow, { state: 'failed' | 'abstained' }> | Scorable {
  const { error, inputs, x, asOf } = row;
  if (error !== undefined || inputs === undefined || asOf === undefined)
    return { state: 'failed', code: error?.code ?? 'INTERNAL' };
  const verdict = inputs.verdicts.get(id);
  if (verdict === undefined) throw new PredictionError('INTERNAL', `Nothing was judged of ${id}.`);
  if (verdict.state !== 'score') return { state: 'abstained', reasons: verdict.reasons.map(({ reason }) => reason) };
  if (x === undefined)
    throw new PredictionError('INTERNAL', `There is no input of ${id}, about which the model may speak.`);
  return { ...row, x, asOf };
}
