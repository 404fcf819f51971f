import { readFrame } from '../../model-catalog/inference-protocol/frame.ts';
import { isObject, type Parameters, readParameters } from '../../model-catalog/inference-protocol/parameters.ts';
import { readTensorEntries, shownName } from '../../model-catalog/inference-protocol/tensor-entries.ts';
import type { Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';

/** A request for an inference, each tensor as it says of itself; nothing is known of the model yet. */
export interface InferRequest {
  readonly id?: string;
  readonly inputs: Tensors;
  /** Absent: all outputs. */
  readonly outputs?: readonly { readonly name: string; readonly binary?: boolean }[];
  /** How outputs go that do not say it themselves. */
  readonly binaryOutputs: boolean;
}

/** Parameters of extensions that are not offered here, and would make the answer another one. */
const notOffered = ['shared_memory_region', 'classification', 'sequence_id', 'sequence_start', 'sequence_end'];

/** @param headerLength the header that tells JSON from bytes, where it was sent. Throws PARAMETER_INVALID, BODY_UNPARSEABLE. */
export function parseInferRequest(body: Buffer, headerLength: string | undefined): InferRequest {
  const { head, binary } = withReason('BODY_UNPARSEABLE', 'The body cannot be read: ', () =>
    readFrame(body, headerLength),
  );
  if (!isObject(head)) throw new PredictionError('BODY_UNPARSEABLE', 'The body must be a JSON object.');
  const { id } = head;
  if (id !== undefined && id !== null && typeof id !== 'string') throw refused("'id' must be a text.");
  const parameters = parametersOf(head.parameters, 'The request');
  const inputs = withReason('PARAMETER_INVALID', '', () => readTensorEntries(head.inputs, binary, 'input'));
  for (const [index, input] of (head.inputs as Record<string, unknown>[]).entries()) {
    parametersOf(input.parameters, `inputs[${index}]`);
  }
  const outputs = outputsOf(head.outputs);
  return {
    ...(typeof id === 'string' ? { id } : {}),
    inputs,
    ...(outputs.length === 0 ? {} : { outputs }),
    binaryOutputs: flagOf(parameters, 'binary_data_output', 'The request') ?? false,
  };
}

function outputsOf(list: unknown): NonNullable<InferRequest['outputs']> {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw refused("'outputs' must be a list.");
  const names = new Set<string>();
  return list.map((entry: unknown, index) => {
    if (!isObject(entry) || typeof entry.name !== 'string') {
      throw refused(`outputs[${index}] must be an object with a name.`);
    }
    const { name } = entry;
    if (names.has(name)) throw refused(`output ${shownName(name)} is asked for twice.`);
    names.add(name);
    const binary = flagOf(parametersOf(entry.parameters, `outputs[${index}]`), 'binary_data', `outputs[${index}]`);
    return { name, ...(binary === undefined ? {} : { binary }) };
  });
}

function parametersOf(value: unknown, owner: string): Parameters {
  const parameters = withReason('PARAMETER_INVALID', `${owner} `, () => readParameters(value));
  const unserved = notOffered.find((name) => Object.hasOwn(parameters, name));
  if (unserved === undefined) return parameters;
  throw refused(`${owner} has the parameter '${unserved}', of an extension that GET /v2 does not list. Leave it out.`);
}

function flagOf(parameters: Parameters, name: string, owner: string): boolean | undefined {
  const flag = parameters[name];
  if (flag === undefined || typeof flag === 'boolean') return flag;
  throw refused(`${owner} has a parameter '${name}' that is neither true nor false.`);
}

/** What the reading of the protocol says as a SyntaxError, as an answer to the caller. */
function withReason<T>(code: 'BODY_UNPARSEABLE' | 'PARAMETER_INVALID', before: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PredictionError(code, `${before}${cause.message.replace(/\.$/, '')}.`);
  }
}

function refused(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message);
}
