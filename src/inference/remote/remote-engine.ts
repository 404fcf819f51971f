import { randomUUID } from 'node:crypto';
import { binaryExtension, headerLengthName } from '../../model-catalog/inference-protocol/frame.ts';
import { readForms } from '../../model-catalog/inference-protocol/metadata.ts';
import { isObject } from '../../model-catalog/inference-protocol/parameters.ts';
import { writeTensorEntries } from '../../model-catalog/inference-protocol/tensor-entries.ts';
import type { TensorForm, Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { RemoteEngineSettings } from '../engines-schema.ts';
import type { ModelSession } from '../model-session.ts';
import { createProtocolClient, type ProtocolClient } from './protocol-client.ts';
import { type AskedInference, readInferAnswer } from './read-infer-answer.ts';
import { refusedAnswer } from './refused-answer.ts';

/** A model as it is called there. */
export interface RemoteModel {
  /** `id@version` here, for messages. */
  readonly key: string;
  readonly model: string;
  /** Absent: the server takes one; the first answer says which, and an answer of another one is refused from then on. */
  readonly version?: string;
}

/** A model on another server. */
export interface RemoteSession extends ModelSession {
  /** What the server calls itself: `triton 2.48.0`. */
  readonly runtime: string;
}

/** A server of the Open Inference Protocol that runs models for this one. */
export interface RemoteEngine {
  /** In ENGINES_FILE, for messages. */
  readonly name: string;
  /**
   * Asks what the server is, whether the model is ready there, and what it takes and gives.
   * Throws ENGINE_UNAVAILABLE where it does not answer or has no such model, MODEL_INVALID where it says what cannot be used.
   */
  open(model: RemoteModel): Promise<RemoteSession>;
  /** What is under way fails. */
  close(): Promise<void>;
}

/** @param name in ENGINES_FILE, for messages */
export function createRemoteEngine(
  name: string,
  settings: RemoteEngineSettings,
  newId: () => string = randomUUID,
): RemoteEngine {
  const client = createProtocolClient(name, settings);
  return {
    name,
    async open({ key, model, version }) {
      const asked = `Engine ${name} (${settings.url}), asked for ${key} as ${model}${version === undefined ? '' : ` ${version}`},`;
      const path = `/v2/models/${encodeURIComponent(model)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`;
      const server = await readObject(client, '/v2', asked);
      const ready = await client.call({ method: 'GET', path: `${path}/ready` });
      if (ready.status !== 200) throw refusedAnswer(`${asked} says that it is not ready: it`, ready, 'metadata');
      const forms = formsOf(await readObject(client, path, asked), model, asked);
      const extensions: unknown = server.extensions;
      const binary = settings.binary && Array.isArray(extensions) && extensions.includes(binaryExtension);
      return {
        ...forms,
        runtime: runtimeOf(server) || name,
        ...sessionOf({ client, asked, path, model, version, binary, outputs: forms.outputs, key, newId }),
      };
    },
    close: () => client.close(),
  };
}

/** Name and version as a result may repeat them: a text of that server, and so only its plain characters. */
function runtimeOf({ name, version }: Readonly<Record<string, unknown>>): string {
  const text = [name, version].filter((part) => typeof part === 'string').join(' ');
  return text
    .replace(/[^\w.+() -]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, 60)
    .trim();
}

async function readObject(client: ProtocolClient, path: string, asked: string): Promise<Record<string, unknown>> {
  const answer = await client.call({ method: 'GET', path });
  if (answer.status !== 200) throw refusedAnswer(asked, answer, 'metadata');
  try {
    const value: unknown = JSON.parse(answer.body.toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // said below
  }
  throw new PredictionError('ENGINE_UNAVAILABLE', `${asked} answers ${path} with something that is no JSON object.`);
}

function formsOf(
  metadata: Readonly<Record<string, unknown>>,
  model: string,
  asked: string,
): Pick<ModelSession, 'inputs' | 'outputs' | 'otherOutputs'> {
  const invalid = (what: string): PredictionError =>
    new PredictionError('MODEL_INVALID', `${asked} gives metadata that ${what}.`);
  if (metadata.name !== model) throw invalid('name another model');
  try {
    const inputs = readForms(metadata.inputs, 'inputs');
    const outputs = readForms(metadata.outputs, 'outputs');
    if (inputs.others.length > 0) {
      throw invalid(`have an input of a datatype that is not known here: ${inputs.others.join(', ')}`);
    }
    return { inputs: inputs.forms, outputs: outputs.forms, otherOutputs: outputs.others };
  } catch (cause) {
    if (cause instanceof SyntaxError) throw invalid(cause.message);
    throw cause;
  }
}

interface SessionParts extends RemoteModel {
  readonly client: ProtocolClient;
  /** The beginning of a sentence about what was asked of whom. */
  readonly asked: string;
  readonly path: string;
  readonly version: string | undefined;
  readonly binary: boolean;
  readonly outputs: readonly TensorForm[];
  readonly newId: () => string;
}

function sessionOf(parts: SessionParts): Pick<ModelSession, 'run' | 'release'> {
  const running = new Set<Promise<Tensors>>();
  let released = false;
  // The one that the golden cases were run with: it stays, or the numbers may be those of another model.
  let served = parts.version;
  const infer = async (feeds: Tensors, wanted: readonly string[]): Promise<Tensors> => {
    const { client, path, model, asked, outputs } = parts;
    const inference: AskedInference = {
      model,
      version: served,
      id: parts.newId(),
      wanted: formsNamed(outputs, wanted),
    };
    const answer = await client.call({ method: 'POST', path: `${path}/infer`, ...requestOf(parts, inference, feeds) });
    if (answer.status !== 200) throw refusedAnswer(asked, answer, 'inference');
    try {
      const { tensors, version } = readInferAnswer(answer, { ...inference, version: served });
      served ??= version;
      return tensors;
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new PredictionError(
        'INFERENCE_FAILED',
        `${asked} gave an answer that is refused: ${cause.message.replace(/\.$/, '')}.`,
      );
    }
  };
  return {
    run(feeds, wanted) {
      if (released) {
        return Promise.reject(new PredictionError('MODEL_NOT_READY', `${parts.key} was released; it runs no more.`));
      }
      const run = infer(feeds, wanted);
      running.add(run);
      const forget = (): void => {
        running.delete(run);
      };
      run.then(forget, forget);
      return run;
    },
    async release() {
      released = true;
      await Promise.allSettled(running);
    },
  };
}

function formsNamed(outputs: readonly TensorForm[], wanted: readonly string[]): TensorForm[] {
  return wanted.map((name) => {
    const form = outputs.find((output) => output.name === name);
    if (form === undefined)
      throw new PredictionError('INTERNAL', `The output ${name} was asked for, and there is none.`);
    return form;
  });
}

function requestOf(
  { asked, binary }: SessionParts,
  { id, wanted }: AskedInference,
  feeds: Tensors,
): { readonly headers: Record<string, string>; readonly body: Uint8Array } {
  const outputs = wanted.map(({ name }) => (binary ? { name, parameters: { binary_data: true } } : { name }));
  try {
    const { json, parts } = writeTensorEntries(feeds, () => binary);
    const head = Buffer.from(`{"id":"${id}","inputs":${json},"outputs":${JSON.stringify(outputs)}}`);
    if (!binary) return { headers: { 'content-type': 'application/json' }, body: head };
    return {
      headers: { 'content-type': 'application/octet-stream', [headerLengthName.toLowerCase()]: String(head.length) },
      body: Buffer.concat([head, ...parts]),
    };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const why = binary ? '' : ' The server takes no binary tensors, or "binary" is false in ENGINES_FILE.';
    throw new PredictionError('INFERENCE_FAILED', `${asked} cannot be sent the input ${cause.message}${why}`);
  }
}
