import { type ErrorCode, PredictionError } from '../platform/errors.ts';
import type { NamedModel, PredictionOutcome, StageTimings } from '../prediction/prediction-outcome.ts';
import type { Entrance, PredictionRequest } from '../prediction/prediction-request.ts';
import { inputHash } from './input-hash.ts';

/** Why a model did not speak about an outcome, by codes alone. */
export interface LoggedVerdict {
  readonly state: string;
  readonly reasons: readonly string[];
}

/** One prediction as it stands in `prediction_log`, by the names of its columns; null is what does not apply. */
export interface PredictionRow {
  readonly id: string;
  readonly tenant: string;
  readonly recorded: Date;
  readonly entrance: Entrance;
  readonly request_id: string;
  readonly user_ref: string | null;
  readonly client: string | null;
  readonly service: string | null;
  readonly card: string | null;
  readonly run: string | null;
  readonly fhir_base: string | null;
  readonly subject_id: string | null;
  readonly encounter_id: string | null;
  /** The order or appointment that it is about. */
  readonly focus: string | null;
  readonly caller_key: string | null;
  readonly model_id: string | null;
  readonly model_version: string | null;
  readonly model_digest: string | null;
  readonly as_of: Date | null;
  readonly result: string | null;
  readonly state: 'scored' | 'abstained' | 'failed';
  readonly error_code: ErrorCode | null;
  readonly what_if: boolean;
  /** Scored beside the default, and shown to nobody. */
  readonly shadow: boolean;
  readonly scores: Readonly<Record<string, number>> | null;
  /** By outcome id, for outcomes without a score. */
  readonly verdicts: Readonly<Record<string, LoggedVerdict>> | null;
  readonly input_references: readonly string[] | null;
  readonly input_hash: string | null;
  readonly missing: Readonly<Record<string, string>> | null;
  readonly assumed: readonly string[] | null;
  /** What a result of the model is; null where nothing came of the prediction. */
  readonly result_type: PredictionOutcome['resultType'] | null;
  readonly written: string | null;
  readonly gather_ms: number | null;
  readonly features_ms: number | null;
  readonly infer_ms: number | null;
  readonly explain_ms: number | null;
  readonly build_ms: number | null;
  readonly write_ms: number | null;
  readonly total_ms: number;
}

/** What the log adds to a prediction. */
export interface RowFrame {
  readonly id: string;
  readonly tenant: string;
  readonly recorded: Date;
  /** From the request to the answer, without the writing of the row. */
  readonly totalMs: number;
}

/** The row of a result or an abstention. */
export function rowOfOutcome(frame: RowFrame, request: PredictionRequest, outcome: PredictionOutcome): PredictionRow {
  const { inputs, timings } = outcome;
  const missing: Record<string, string> = {};
  const assumed: string[] = [];
  for (const [name, feature] of inputs.features) {
    if (feature.state === 'missing')
      missing[name] = feature.given === undefined ? feature.because : `as-missing:${feature.because}`;
    else if (feature.state === 'imputed') missing[name] = `imputed:${feature.because}`;
    else if (feature.state === 'assumed-absent') assumed.push(name);
  }
  const scored = outcome.state === 'scored';
  return {
    ...framed(frame, request, timings),
    fhir_base: outcome.subjectBase,
    ...modelColumns(outcome.model),
    as_of: outcome.asOf,
    result: outcome.identifier,
    state: outcome.state,
    error_code: null,
    scores: scored ? Object.fromEntries(outcome.scores) : null,
    verdicts: verdictsOf(inputs.verdicts),
    input_references: inputs.basis.map(({ reference, display }) => reference ?? display ?? ''),
    input_hash: inputHash(inputs),
    missing,
    assumed,
    result_type: outcome.resultType,
    written: scored && request.writeBack ? (outcome.resource?.id ?? null) : null,
  };
}

/**
 * The row of a prediction that failed. What the caller sent is kept only where it can be nothing else: a model that is
 * known, an id that is one.
 * @param asked the model version that the call names, where there is one
 */
export function rowOfFailure(
  frame: RowFrame,
  request: PredictionRequest,
  failure: { readonly error: unknown; readonly asked?: NamedModel; readonly fhirBase: string },
): PredictionRow {
  return {
    ...framed(frame, request, {}),
    fhir_base: failure.fhirBase,
    ...modelColumns(failure.asked),
    as_of: request.asOf ?? null,
    result: null,
    state: 'failed',
    error_code: failure.error instanceof PredictionError ? failure.error.code : 'INTERNAL',
    scores: null,
    verdicts: null,
    input_references: null,
    input_hash: null,
    missing: null,
    assumed: null,
    result_type: null,
    written: null,
  };
}

/** What every row says of who asked for what, and how long it took. */
export function framed({ id, tenant, recorded, totalMs }: RowFrame, request: PredictionRequest, timings: StageTimings) {
  const { requestId, entrance, caller = {}, subject, encounter, focus, inputs } = request;
  return {
    id,
    tenant,
    recorded,
    entrance,
    request_id: storable(requestId) ?? '',
    user_ref: storable(caller.user),
    client: storable(caller.client),
    service: storable(caller.service),
    card: storable(caller.card),
    run: storable(caller.run),
    subject_id: logicalId(subject),
    encounter_id: logicalId(encounter),
    focus: storable(focus),
    caller_key: storable(caller.key),
    what_if: inputs.length > 0,
    shadow: request.shadow === true,
    gather_ms: timings.gatherMs ?? null,
    features_ms: timings.featuresMs ?? null,
    infer_ms: timings.inferMs ?? null,
    explain_ms: timings.explainMs ?? null,
    build_ms: timings.buildMs ?? null,
    write_ms: timings.writeMs ?? null,
    total_ms: totalMs,
  };
}

/** Of a model that is not known all three are null. */
export function modelColumns(model: NamedModel | undefined) {
  return {
    model_id: model?.id ?? null,
    model_version: model?.version ?? null,
    model_digest: model?.digest ?? null,
  };
}

function verdictsOf(verdicts: PredictionOutcome['inputs']['verdicts']): Record<string, LoggedVerdict> {
  const logged: Record<string, LoggedVerdict> = {};
  for (const [outcome, verdict] of verdicts) {
    if (verdict.state !== 'score')
      logged[outcome] = { state: verdict.state, reasons: verdict.reasons.map(({ reason }) => reason) };
  }
  return logged;
}

const longest = 512;

/** Text of a caller as a database can hold it: no NUL nor other control character, no half character, bounded. */
function storable(text: string | undefined): string | null {
  if (text === undefined) return null;
  return /^[ -~]{0,512}$/.test(text)
    ? text
    : text
        .slice(0, longest)
        .toWellFormed()
        .replace(/\p{Cc}/gu, '\u{fffd}');
}

/** Whatever has not the shape of a FHIR id was sent by mistake, and may be anything. */
function logicalId(text: string | undefined): string | null {
  return text !== undefined && /^[A-Za-z0-9\-.]{1,64}$/.test(text) ? text : null;
}
