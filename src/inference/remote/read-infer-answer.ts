import { readFrame } from '../../model-catalog/inference-protocol/frame.ts';
import { isObject, readParameters } from '../../model-catalog/inference-protocol/parameters.ts';
import { readTensorEntries } from '../../model-catalog/inference-protocol/tensor-entries.ts';
import { formMisfit, type TensorForm, type Tensors } from '../../model-catalog/tensor.ts';
import type { ProtocolAnswer } from './protocol-client.ts';

/** What was asked for. */
export interface AskedInference {
  readonly model: string;
  /** Absent: the version was left to the server. */
  readonly version: string | undefined;
  /** A new one for each call. */
  readonly id: string;
  readonly wanted: readonly TensorForm[];
}

export interface InferAnswer {
  /** Those that were wanted, in that order. */
  readonly tensors: Tensors;
  /** Absent where the server does not say which version answered. */
  readonly version?: string;
}

/**
 * Reads an answer of status 200 as the one to what was asked: of that model and version, with that id, each wanted output
 * once and as its metadata declare it. Throws SyntaxError with a sentence on what is wrong with it.
 */
export function readInferAnswer({ mediaType, headerLength, body }: ProtocolAnswer, asked: AskedInference): InferAnswer {
  const allowed = headerLength === undefined ? ['application/json'] : ['application/octet-stream', 'application/json'];
  if (!allowed.includes(mediaType)) {
    throw new SyntaxError(`it is ${mediaType.slice(0, 80) || 'of no media type'}; expected is ${allowed.join(' or ')}`);
  }
  const { head, binary } = readFrame(body, headerLength);
  if (!isObject(head)) throw new SyntaxError('it is no object');
  readParameters(head.parameters);
  if (head.id !== asked.id)
    throw new SyntaxError('it does not carry the id of the request: it may be the answer to another');
  if (head.model_name !== asked.model) {
    throw new SyntaxError(`it is of the model ${nameOf(head.model_name)}; asked was ${asked.model}`);
  }
  const version = head.model_version ?? undefined;
  if (version !== undefined && (typeof version !== 'string' || version !== (asked.version ?? version))) {
    throw new SyntaxError(`it is of version ${nameOf(version)}; expected is ${asked.version ?? 'a text'}`);
  }
  const outputs = readTensorEntries(head.outputs, binary, 'output');
  const tensors = new Map(asked.wanted.map((form) => [form.name, outputOf(outputs, form)]));
  return { tensors, ...(version === undefined ? {} : { version }) };
}

function outputOf(outputs: Tensors, form: TensorForm) {
  const tensor = outputs.get(form.name);
  if (tensor === undefined) throw new SyntaxError(`it lacks the output ${form.name}`);
  const misfit = formMisfit(tensor, form);
  if (misfit !== undefined) throw new SyntaxError(`it has an output ${form.name} that ${misfit}`);
  return tensor;
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 80) : 'no text';
}
