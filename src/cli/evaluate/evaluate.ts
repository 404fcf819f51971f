import { evaluateOutcome } from '../../governance/evaluation/evaluate-outcome.ts';
import type { EvaluationReport } from '../../model-catalog/evaluation-report-schema.ts';
import type { Manifest } from '../../model-catalog/manifest-schema.ts';
import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import type { Config } from '../../platform/config.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { Extraction } from '../extract/open-extraction.ts';
import { openCohortLabels } from './cohort-labels.ts';
import { cohortRows } from './cohort-rows.ts';
import { type CollectedRows, collectRows } from './collect-rows.ts';
import type { EvaluateOptions, RowSource } from './evaluate-options.ts';
import { fileRows } from './file-rows.ts';
import { withModel } from './open-model.ts';
import { openTable } from './table-file.ts';

/** What a report says beside its figures. */
interface Evaluated extends CollectedRows {
  readonly manifest: Manifest;
  readonly digest: string;
  readonly outcome: Outcome;
  readonly data: EvaluationReport['data'];
  readonly notes: readonly string[];
}

/**
 * The report of one outcome of one model on rows whose truth is known. The same rows, model and settings give the same
 * report: it holds no time of its own.
 * Throws what reading the options' files and the model throws, and the reason of the signal.
 */
export async function evaluate(
  config: Config,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<EvaluationReport> {
  const { rows } = options;
  const evaluated =
    'matrix' in rows
      ? await fromFile(config, options, rows, signal)
      : await (await import('../extract/open-extraction.ts')).withExtraction(config, (extraction) =>
          fromCohort(extraction, options, rows, signal),
        );
  return reportOf(evaluated, options);
}

/** Of a matrix: the model and its engine are all that is opened. */
async function fromFile(
  config: Config,
  { model: id, version, outcome: wanted }: EvaluateOptions,
  { matrix, column, groups }: Extract<RowSource, { matrix: string }>,
  signal: AbortSignal,
): Promise<Evaluated> {
  const table = await openTable(matrix, '--file');
  return await withModel(config, id, version, async (model) => {
    const outcome = chosenOutcome(model.manifest, wanted);
    const stream = fileRows(table, model, outcome, { column, groups });
    const collected = await collectRows(stream, model.run, outcome, signal);
    return {
      ...collected,
      manifest: model.manifest,
      digest: model.digest,
      outcome,
      data: { matrix: { name: table.name, sha256: table.sha256() }, labels: { column } },
      notes: stream.notes,
    };
  });
}

/** Of a cohort: what `fhirsight extract` opens is open. */
export async function fromCohort(
  extraction: Extraction,
  { model: id, version, outcome: wanted }: EvaluateOptions,
  source: Exclude<RowSource, { matrix: string }>,
  signal: AbortSignal,
): Promise<Evaluated> {
  const { parts, cohorts } = extraction;
  const model = parts.findModel(id, version);
  const outcome = chosenOutcome(model.manifest, wanted);
  const labels = await openCohortLabels(source.labels, outcome, { now: parts.clock.now(), timeZone: parts.timeZone });
  if (!('list' in source.cohort)) await cohorts.check(source.cohort);
  const stream = cohortRows(extraction, model, source, { outcome, labels }, signal);
  const collected = await collectRows(stream, model.run, outcome, signal);
  return {
    ...collected,
    manifest: model.manifest,
    digest: model.digest,
    outcome,
    data: { ...source.asked, labels: labels.source },
    notes: labels.notes(),
  };
}

/** The report as it is written. */
export function reportOf(evaluated: Evaluated, { settings }: EvaluateOptions): EvaluationReport {
  const { manifest, digest, outcome, data, notes, rows, tally } = evaluated;
  const { seed, resamples, fewest } = settings;
  const { id, version, title } = manifest;
  return {
    schema: 1,
    model: { id, version, title, digest, demonstration: manifest.demonstration === true },
    outcome: {
      id: outcome.id,
      label: outcome.label,
      kind: outcome.kind,
      ...(outcome.kind === 'measurement' ? { unit: outcome.unit } : {}),
      ...(outcome.horizon === undefined ? {} : { horizon: outcome.horizon }),
    },
    data,
    settings: { seed, resamples, fewest },
    rows: tally,
    notes: [...notes],
    ...evaluateOutcome(outcome, rows, settings),
  };
}

/** Throws PARAMETER_INVALID where a model has several and none was named, or has no such one. */
function chosenOutcome({ id, version, outcomes }: Manifest, wanted: string | undefined): Outcome {
  const known = outcomes.map((outcome) => outcome.id).join(', ');
  const found = wanted === undefined && outcomes.length === 1 ? outcomes[0] : outcomes.find((one) => one.id === wanted);
  if (found !== undefined) return found;
  const what = wanted === undefined ? 'has several outcomes' : `has no outcome '${wanted}'`;
  throw new PredictionError('PARAMETER_INVALID', `${id}@${version} ${what}; name one with --outcome: ${known}.`);
}
