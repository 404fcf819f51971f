import type { Patient, Resource } from '@medplum/fhirtypes';
import type { EvaluationReport } from '../../model-catalog/evaluation-report-schema.ts';
import type { LabelEvent } from '../../model-catalog/label-event-schema.ts';
import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import type { RecordQuery } from '../../model-catalog/record-queries.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LabelSource } from './evaluate-options.ts';
import { readLabelList } from './label-list.ts';
import { compileLabel } from './label-of-events.ts';
import { labelQueries } from './label-queries.ts';
import { readLabelEvent } from './read-label-event.ts';
import { truthReader } from './read-truth.ts';

/** How the rows of a cohort get their truth. */
export interface CohortLabels {
  /** What is read of each subject for it, beside the Patient. */
  readonly queries: readonly RecordQuery[];
  of(
    row: { readonly subject: string; readonly asOf: Date },
    patient: Patient,
    resources: readonly Resource[],
  ): { readonly truth: number } | { readonly leftOut: string } | undefined;
  readonly source: EvaluationReport['data']['labels'];
  /** What a reader must know of them; whole when all rows were labelled. */
  notes(): string[];
}

/** Throws PARAMETER_INVALID for a file that is wrong, and for events of an outcome that is no event. */
export async function openCohortLabels(
  labels: Exclude<LabelSource, { column: string }>,
  outcome: Outcome,
  { now, timeZone }: { readonly now: Date; readonly timeZone: string },
): Promise<CohortLabels> {
  if ('file' in labels) {
    const list = await readLabelList(labels.file, truthReader(outcome), timeZone);
    return {
      queries: [],
      of({ subject, asOf }) {
        const truth = list.of(subject, asOf);
        return truth === undefined ? undefined : { truth };
      },
      source: { file: list.file },
      notes: () => (list.unused() === 0 ? [] : [`${list.unused()} labels of ${list.file.name} belong to no row.`]),
    };
  }
  if (outcome.kind === 'measurement' || outcome.kind === 'class')
    throw new PredictionError(
      'PARAMETER_INVALID',
      `--label-event says whether something happened, but ${outcome.id} is a ${outcome.kind}. Give its truth with --label-file.`,
    );
  const { declared, file } = await readLabelEvent(labels.events, now, timeZone);
  const label = compileLabel(declared, { timeZone, now });
  return {
    queries: labelQueries(declared),
    of: ({ asOf }, patient, resources) => label(patient, resources, asOf),
    source: { events: file },
    notes: () => notesOf(declared, outcome),
  };
}

function notesOf({ horizon, followedUntil }: LabelEvent, outcome: Outcome): string[] {
  const notes = [
    'Rows that were not followed up to the end of the horizon are left out: the figures hold where that has nothing to do with the risk.',
  ];
  if ('last' in followedUntil)
    notes.push(
      'Who stays away from care counts as not followed up: among the rows that are left, those who come are too many.',
    );
  if (outcome.horizon !== undefined && outcome.horizon !== horizon)
    notes.push(
      `The labels are about ${horizon} after as-of, but ${outcome.id} is about ${outcome.horizon}: the probabilities are of another time.`,
    );
  return notes;
}
