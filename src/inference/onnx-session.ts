import type { InferenceSession, OnnxValue } from 'onnxruntime-node';
import type { ElementType, Tensor, TensorForm, Tensors } from '../model-catalog/tensor.ts';
import { elementTypes } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';
import type { ModelSession, SessionRequest } from './model-session.ts';
import { ort } from './onnx-runtime.ts';
import { namedAsZipMap, withZipMapInputs, type ZipMap, zipMaps } from './zip-map.ts';

/**
 * Opens a graph with ONNX Runtime in this very thread, which it blocks, as each run does. An execution provider that does
 * not work throws; there is no fallback here. What goes into a ZipMap stands for what comes out of it.
 * @param profilePrefix where ONNX Runtime writes which node ran on which provider, once the session is released: a path to
 * which it adds the time and `.json`
 * Throws MODEL_INVALID with the reason of ONNX Runtime.
 */
export async function openOnnxSession(request: SessionRequest, profilePrefix?: string): Promise<ModelSession> {
  const maps = zipMaps(request.artefact);
  const artefact = withZipMapInputs(request.artefact, maps);
  const session = await createSession({ ...request, artefact }, profilePrefix);
  const running = new Set<Promise<unknown>>();
  let released: Promise<void> | undefined;
  try {
    const inputs = formsOf(request, session.inputMetadata);
    const outputs = formsOf(request, session.outputMetadata);
    const others = session.inputMetadata.filter(({ isTensor }) => !isTensor).map(({ name }) => name);
    if (others.length > 0)
      throw refused(request, `its inputs ${others.join(', ')} are no tensors, which cannot be filled`);
    return {
      inputs,
      outputs: namedAsZipMap(outputs, maps),
      otherOutputs: session.outputMetadata.flatMap(({ isTensor, name }) =>
        isTensor || maps.some(({ output }) => output === name) ? [] : [name],
      ),
      run(feeds, wanted) {
        if (released !== undefined)
          return Promise.reject(
            new PredictionError('MODEL_NOT_READY', `${request.key} was released; it runs no more.`),
          );
        const run = runSession({ key: request.key, session, maps }, feeds, wanted);
        running.add(run);
        const forget = (): void => {
          running.delete(run);
        };
        run.then(forget, forget);
        return run;
      },
      release() {
        released ??= Promise.allSettled(running).then(() => session.release());
        return released;
      },
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function createSession(request: SessionRequest, profilePrefix: string | undefined): Promise<InferenceSession> {
  const { artefact, provider, threads } = request;
  try {
    return await ort.InferenceSession.create(artefact, {
      executionProviders: [provider],
      executionMode: 'sequential',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
    });
  } catch (cause) {
    throw refused(request, `model.onnx is refused by ONNX Runtime: ${messageOf(cause)}`, cause);
  }
}

/** Throws MODEL_INVALID for an element type that this server has no tensor for. */
function formsOf(request: SessionRequest, metadata: readonly InferenceSession.ValueMetadata[]): TensorForm[] {
  return metadata.flatMap((value) => {
    if (!value.isTensor) return [];
    const { name, type, shape } = value;
    if (!isElementType(type)) throw refused(request, `${name} has the element type ${type}, which is not served`);
    return [{ name, type, shape: shape.map((size) => (typeof size === 'number' ? size : null)) }];
  });
}

function isElementType(type: string): type is ElementType {
  return (elementTypes as readonly string[]).includes(type);
}

async function runSession(
  {
    key,
    session,
    maps,
  }: { readonly key: string; readonly session: InferenceSession; readonly maps: readonly ZipMap[] },
  feeds: Tensors,
  wanted: readonly string[],
): Promise<Tensors> {
  const fetched = (name: string): string => maps.find(({ output }) => output === name)?.input ?? name;
  let values: InferenceSession.ReturnType;
  try {
    const fed: Record<string, OnnxValue> = {};
    for (const [name, tensor] of feeds) fed[name] = runtimeTensor(tensor);
    values = await session.run(fed, wanted.map(fetched));
  } catch (cause) {
    throw new PredictionError('INFERENCE_FAILED', `${key} failed to run: ${messageOf(cause)}`, { cause });
  }
  return new Map(
    wanted.map((name) => {
      const value = values[fetched(name)];
      if (value === undefined || !('dims' in value) || !isElementType(value.type))
        throw new PredictionError('INFERENCE_FAILED', `${key}: output ${name} is no tensor that can be read.`);
      return [name, { type: value.type, dims: value.dims, data: value.data } as Tensor];
    }),
  );
}

function runtimeTensor({ type, dims, data }: Tensor): OnnxValue {
  // The constructor knows each pair of type and data; as a union TypeScript cannot tell that.
  return new ort.Tensor(type as 'float32', data as Float32Array, dims);
}

function refused({ key }: SessionRequest, reason: string, cause?: unknown): PredictionError {
  return new PredictionError('MODEL_INVALID', `Model ${key} is refused: ${reason}.`, { cause });
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
}
