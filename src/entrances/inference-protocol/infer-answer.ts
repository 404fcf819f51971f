import { writeTensorEntries } from '../../model-catalog/inference-protocol/tensor-entries.ts';
import type { Tensor, Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ServedModel } from './inference-models.ts';
import type { InferRequest } from './parse-infer-request.ts';

/** A body of the protocol. */
export interface RenderedAnswer {
  readonly body: Buffer;
  /** Bytes of JSON before those of tensors; absent where all is JSON. */
  readonly headerLength?: number;
}

/** Names of the outputs that are wanted, in their order. Throws PARAMETER_INVALID for one that the model does not have. */
export function wantedOutputs(model: ServedModel, { outputs }: InferRequest): readonly string[] {
  const names = model.outputs.map(({ name }) => name);
  if (outputs === undefined) return names;
  const unknown = outputs.find(({ name }) => !names.includes(name));
  if (unknown === undefined) return outputs.map(({ name }) => name);
  throw new PredictionError(
    'PARAMETER_INVALID',
    `Model ${model.name} ${model.version} has no output ${unknown.name.slice(0, 80)}; it gives ${names.join(', ')}.`,
  );
}

/** Throws INFERENCE_FAILED where an output cannot be said in JSON. */
export function renderAnswer(
  model: ServedModel,
  asked: InferRequest,
  wanted: readonly string[],
  answered: Tensors,
): RenderedAnswer {
  const outputs = new Map(wanted.map((name) => [name, outputOf(model, answered, name)]));
  const isBinary = (name: string): boolean =>
    asked.outputs?.find((output) => output.name === name)?.binary ?? asked.binaryOutputs;
  const id = asked.id === undefined ? '' : `"id":${JSON.stringify(asked.id)},`;
  const { name, version } = model;
  try {
    const { json, parts } = writeTensorEntries(outputs, isBinary);
    const head = Buffer.from(
      `{"model_name":${JSON.stringify(name)},"model_version":${JSON.stringify(version)},${id}"outputs":${json}}`,
    );
    if (!wanted.some(isBinary)) return { body: head };
    return { body: Buffer.concat([head, ...parts]), headerLength: head.length };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PredictionError(
      'INFERENCE_FAILED',
      `Model ${name} ${version} gave an output that JSON cannot say. ${cause.message} Ask for it as bytes: "parameters": {"binary_data": true}.`,
    );
  }
}

function outputOf({ name: model, version }: ServedModel, answered: Tensors, name: string): Tensor {
  const tensor = answered.get(name);
  if (tensor === undefined) {
    throw new PredictionError('INFERENCE_FAILED', `Model ${model} ${version} did not give its output ${name}.`);
  }
  return tensor;
}
