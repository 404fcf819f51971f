import type { Patient } from '@medplum/fhirtypes';
import { explain } from '../explanation/explain.ts';
import { explainInTime } from '../explanation/explain-in-time.ts';
import { shownExplanation } from '../explanation/shown-explanation.ts';
import { shownInputs } from '../features/shown-inputs.ts';
import { inputRow, score } from '../inference/score.ts';
import { cardUrl } from '../model-catalog/card/card-url.ts';
import { inputColumns } from '../model-catalog/model-tensors.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import type { Level } from '../model-catalog/outcome-score.ts';
import type { RunOptions } from '../model-catalog/run-options.ts';
import { PredictionError } from '../platform/errors.ts';
import { amendReport } from '../results/amend-report.ts';
import { assertResultValid } from '../results/assert-result-valid.ts';
import { buildResult, resultValidUntil } from '../results/build-result.ts';
import { testHealthData } from '../results/canonical-urls.ts';
import { buildProvenance } from '../results/provenance.ts';
import { remarks } from '../results/remarks.ts';
import { resultIdentifier } from '../results/result-identifier.ts';
import type { ResultRequest } from '../results/result-request.ts';
import type { ResultResource } from '../results/result-resource.ts';
import { scoreLevel } from '../results/score-level.ts';
import type { WriteReceipt } from '../write-back/outcome-record.ts';
import { metaWithSupersededTag } from '../write-back/superseded-tag.ts';
import { readModelInputs } from './model-inputs.ts';
import { outcomeAbout, studyAbout } from './outcome-about.ts';
import { outcomeToRecord } from './outcome-to-record.ts';
import { passesByItself } from './passes-by-itself.ts';
import type { PredictionOutcome, StageTimings } from './prediction-outcome.ts';
import type { PredictableModel, PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';
import { readFocus } from './read-focus.ts';
import { refuseDemonstration } from './refuse-demonstration.ts';
import { refuseFuture } from './refuse-future.ts';
import { refuseOthers } from './refuse-others.ts';
import { reportPictures } from './report-pictures.ts';
import { reportWrite } from './report-write.ts';
import { runOptions } from './run-options.ts';

/**
 * The path, and the only place that knows its order: gather, extract, score, explain, build, write. Every entrance
 * calls it once per subject. An abstention is a result, not an error.
 * Throws PredictionError with the code of the step that failed; nothing was written then.
 */
export async function predict(parts: PredictionParts, request: PredictionRequest): Promise<PredictionOutcome> {
  let release = (): void => undefined;
  try {
    return await predictWith(parts, request, (held) => {
      release = held;
    });
  } finally {
    release();
  }
}

/** @param hold given what gives back the memory of the images, once nobody uses them any more */
async function predictWith(
  parts: PredictionParts,
  request: PredictionRequest,
  hold: (release: () => void) => void,
): Promise<PredictionOutcome> {
  const now = parts.clock.now();
  const asOf = request.asOf ?? cutToMinute(now);
  refuseFuture(asOf, now);
  if (request.writeBack && request.inputs.length > 0) {
    throw new PredictionError(
      'WHAT_IF_NOT_WRITABLE',
      'A prediction from asserted inputs is never written back. Leave out `input`, or writeBack.',
    );
  }
  const notWritable = (): never => {
    throw new PredictionError(
      'WHAT_IF_NOT_WRITABLE',
      'A prediction from a record that the call names or holds is never written back. Have the record read from the configured source, or leave out writeBack.',
    );
  };
  if (request.writeBack && request.origin?.from === 'caller') notWritable();
  const model = parts.findModel(request.model, request.version);
  const { manifest, compiled } = model;
  if (request.writeBack) refuseDemonstration(parts, manifest);
  // Members of a run end on the version that it began with, whatever was promoted since.
  if (request.writeBack && request.entrance !== 'cohort') refuseOthers(model);
  const time = stopwatch();
  const {
    subject,
    origin,
    record,
    inputs: all,
  } = await readModelInputs(parts, model, { ...request, asOf }, () => time.step('gatherMs'), hold);
  // The own store, under a name that the call gives it, is read whole and holds nothing by anybody's word.
  if (request.writeBack && request.origin !== undefined && !origin.source.own) notWritable();
  const inputs = shownInputs(all, compiled.sensitive);
  request.inputsRead?.(inputs);
  const outcomes = manifest.outcomes.filter(({ id }) => inputs.verdicts.get(id)?.state === 'score');
  const basedOn = readFocus(record, request.focus);
  const isReport = model.resultFrame.form === 'DiagnosticReport';
  const study = studyAbout(isReport, { inputs: all, timeZone: parts.timeZone }, request.focus);
  const identity = {
    model: named(model),
    subject,
    encounter: request.encounter,
    focus: request.focus ?? study,
    asOf,
    inputs: all,
    features: compiled.labels,
  };
  time.step('featuresMs');
  const validUntil = resultValidUntil({ ...identity, timeZone: parts.timeZone });
  const common = {
    model: named(model),
    asOf,
    identifier: resultIdentifier(identity),
    inputs,
    subjectBase: subject.base,
    computedAt: now,
    validUntil,
    resultType: model.resultFrame.form,
  };
  const made = {
    subject,
    ...outcomeAbout(identity, study),
    computedAt: now,
    validUntil,
    whatIf: request.inputs.length > 0,
  };
  // What rests on the word of a caller can be read by nobody again: the prediction log alone keeps that it was said.
  // What no default says is kept as no result, and supersedes none.
  const speaks = model.state === 'default' && request.shadow !== true;
  const isKept = !origin.unverified && (speaks || request.writeBack);
  const keep: PredictionParts['writeResult'] | undefined = isKept ? parts.writeResult : undefined;

  if (outcomes.length === 0) {
    const passes = study !== undefined && passesByItself(all) ? { passes: true as const } : {};
    const receipt = await keep?.(outcomeToRecord({ state: 'abstained', ...common }, { ...made, ...passes }));
    if (receipt !== undefined) reportWrite(receipt, parts.event);
    time.step('writeMs');
    return { state: 'abstained', ...common, timings: time.steps };
  }

  const columns = inputColumns(manifest);
  const row = inputRow(columns, all.features);
  const runWith =
    (options: RunOptions): PredictableModel['run'] =>
    (rows) =>
      model.run(rows, options);
  const { scores, details, output } = await score(runWith(runOptions(request)), row, outcomes);
  time.step('inferMs');
  const known = await explainInTime(request, model.explainTime, (due) =>
    explain(model.explainer, manifest.explanation.method, {
      inputs: row,
      features: all.features,
      run: runWith(runOptions(request, due)),
      // The difference of two classes says nothing.
      outcomes: outcomes.filter(({ kind }) => kind !== 'class'),
    }),
  );
  const explanation = shownExplanation(known, compiled.sensitive);
  const isBuilt = request.writeBack || request.build !== false;
  const drawn = isBuilt
    ? await reportPictures(parts, model, request, {
        row,
        features: all.features,
        outcomes,
        scores,
        details,
        output,
        run: (due) => runWith(runOptions(request, due)),
      })
    : {};
  if ('none' in known && known.cause !== undefined) {
    parts.event({
      name: 'explanation.degraded',
      model: `${manifest.id}@${manifest.version}`,
      error: known.cause,
    });
  }

  time.step('explainMs');
  const result: ResultRequest = {
    ...identity,
    inputs,
    ...(basedOn === undefined ? {} : { basedOn }),
    frame: model.resultFrame,
    identifier: common.identifier,
    subject: { ...subject, own: origin.source.own || origin.heldByCaller },
    computedAt: now,
    timeZone: parts.timeZone,
    scores,
    details,
    explanation,
    ...drawn,
    testData: isTestData(record.patient),
    heldByCaller: origin.heldByCaller,
    deviceReference: `Device/${model.device.id}`,
    modelCard: cardUrl(parts.serverUrl, manifest),
  };
  const resource = isBuilt ? checkedResult(result, parts.validate) : undefined;

  if (resource !== undefined) time.step('buildMs');
  const making = {
    deviceReference: result.deviceReference,
    computedAt: now,
    recorded: now,
    timeZone: parts.timeZone,
    basis: inputs.basis,
    ...(inputs.confidentiality === undefined ? {} : { confidentiality: inputs.confidentiality }),
  };
  const receipt = await keep?.(
    outcomeToRecord({ state: 'scored', ...common, scores }, made),
    request.writeBack && resource !== undefined
      ? {
          result: resource,
          checked: true,
          device: model.device,
          provenance: (target, revised) =>
            buildProvenance({ target, ...(revised === undefined ? {} : { revised }), ...making }),
          ...(resource.resourceType === 'DiagnosticReport'
            ? { amending: (earlier, review) => amendReport(resource, earlier, making, review) }
            : {}),
        }
      : undefined,
  );
  if (receipt !== undefined) reportWrite(receipt, parts.event);
  time.step('writeMs');
  const shown = request.writeBack ? stored(receipt, resource) : resource;
  return {
    state: 'scored',
    ...common,
    ...(shown === undefined ? {} : { resource: shown }),
    remarks: notesOf(shown) ?? remarks(result),
    scores,
    details,
    levels: levelsOf(outcomes, scores),
    explanation,
    created: receipt?.created ?? false,
    timings: time.steps,
  };
}

function checkedResult(result: ResultRequest, validate: PredictionParts['validate']): ResultResource {
  const resource = buildResult(result);
  assertResultValid(resource, validate);
  return resource;
}

/** A report has no notes: its remarks stand in its narrative. */
function notesOf(resource: ResultResource | undefined): string[] | undefined {
  if (resource === undefined || resource.resourceType === 'DiagnosticReport') return undefined;
  return resource.note?.map(({ text = '' }) => text);
}

function levelsOf(outcomes: readonly Outcome[], scores: ReadonlyMap<string, number>): Map<string, Level> {
  return new Map(
    outcomes.flatMap((outcome) => {
      const score = scores.get(outcome.id);
      const level = score === undefined ? undefined : scoreLevel(outcome, score);
      return level === undefined ? [] : [[outcome.id, level] as const];
    }),
  );
}

/** Milliseconds between the steps, by the clock that only goes forward. */
function stopwatch(): { readonly steps: StageTimings; step(name: keyof StageTimings): void } {
  const steps: { -readonly [Step in keyof StageTimings]: number } = {};
  let lastMs = performance.now();
  return {
    steps,
    step(name) {
      const nowMs = performance.now();
      steps[name] = nowMs - lastMs;
      lastMs = nowMs;
    },
  };
}

function isTestData({ meta }: Patient): boolean {
  return (meta?.security ?? []).some(
    ({ system, code }) => system === testHealthData.system && code === testHealthData.code,
  );
}

function cutToMinute(instant: Date): Date {
  return new Date(Math.floor(instant.getTime() / 60_000) * 60_000);
}

function named({ manifest, digest, engine, site }: PredictableModel): ResultRequest['model'] {
  const { id, version, title } = manifest;
  return { id, version, title, digest, manifest, engine, ...(site === undefined ? {} : { site }) };
}

/** What is stored, or the report that no version of a report says: it is superseded, and the stored one says what stands. */
function stored(receipt: WriteReceipt | undefined, made: ResultResource | undefined): ResultResource {
  if (receipt?.resource !== undefined) return receipt.resource;
  if (receipt?.row.supersededBy === undefined || made?.resourceType !== 'DiagnosticReport')
    throw new PredictionError('WRITE_REJECTED', 'The store gave back no result although it was asked to keep it.');
  return { ...made, meta: metaWithSupersededTag(made.meta ?? {}, true) };
}
