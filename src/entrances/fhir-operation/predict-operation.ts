import type { OperationDefinition, Resource } from '@medplum/fhirtypes';
import type { StudyIndex } from '../../fhir/studies/study-index.ts';
import type { Principal } from '../../http/principal.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import { abstentionError } from './abstention-error.ts';
import { callerOf } from './caller-of.ts';
import { parametersOf } from './operation-call.ts';
import { type PredictPlace, predictionRequestFromParameters } from './prediction-request-from-parameters.ts';
import { resolveStudy } from './resolve-study.ts';

/** What `$predict` must know of a model before it is asked. */
export interface AskedModel {
  readonly readsImages: boolean;
  /** How long its owner says that one prediction takes. */
  readonly costSeconds?: number;
}

export interface PredictOperation {
  /** Parsed from this definition, and served under it. */
  readonly definition: OperationDefinition;
  readonly timeZone: string;
  /** Absolute bases under which the subject may be named: the record source's, and the own store's if it is the source. */
  readonly bases: readonly string[];
  /** Where studies are found by their ids and UIDs. */
  readonly studies: StudyIndex;
  /** Throws MODEL_UNKNOWN. */
  readonly describeModel: (id: string, version?: string) => AskedModel;
  /** Throws RESOURCE_INVALID for what is not base R4. */
  readonly validate: (resource: unknown) => void;
  /** Throws FORBIDDEN where whoever asks may not have this read or written. */
  readonly authorise: (principal: Principal, request: PredictionRequest) => void;
  readonly predict: (request: PredictionRequest) => Promise<PredictionOutcome>;
}

/** One call of `$predict`, free of HTTP. */
export interface PredictCall {
  readonly place: PredictPlace;
  /** The parsed body; undefined where it was empty. */
  readonly body: unknown;
  readonly requestId: string;
  readonly principal: Principal;
}

/** What a call asks for and may ask for. Throws PARAMETER_INVALID, RESOURCE_INVALID, FORBIDDEN, and what `resolveStudy` throws. */
export async function predictRequestOf(operation: PredictOperation, call: PredictCall): Promise<PredictionRequest> {
  const { definition, timeZone, bases } = operation;
  const parameters = parametersOf(call.body, 'predict');
  if (call.body !== undefined) operation.validate(parameters);
  const context = { timeZone, bases, requestId: call.requestId };
  const asked = predictionRequestFromParameters(definition, parameters, call.place, context);
  const { model, version } = asked.request;
  const request = await resolveStudy(asked, {
    studies: operation.studies,
    readsImages: () => operation.describeModel(model, version).readsImages,
    principal: call.principal,
  });
  operation.authorise(call.principal, request);
  const caller = callerOf(call.principal);
  return caller === undefined ? request : { ...request, caller };
}

/**
 * The answer to what `$predict` asks for: a RiskAssessment or an Observation (OP-11: the bare resource).
 * @param signal aborted when nobody waits any more
 * Throws ABSTAINED, and whatever the path throws.
 */
export async function answerPrediction(
  predict: PredictOperation['predict'],
  request: PredictionRequest,
  signal?: AbortSignal,
): Promise<Resource> {
  const outcome = await predict({ ...request, ...(signal === undefined ? {} : { signal, givenUp: signal }) });
  if (outcome.state === 'abstained') throw abstentionError(outcome);
  if (outcome.resource === undefined)
    throw new PredictionError('INTERNAL', 'The path built no resource although one was asked for.');
  return outcome.resource;
}
