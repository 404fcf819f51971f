import * as ort from 'onnxruntime-node';
import { PredictionError } from '../platform/errors.ts';
import { hasExternalData } from './external-data.ts';
import type { EngineModel, InferenceEngine, LoadedModel } from './inference-engine.ts';

const sessionOptions: ort.InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  // More threads spin cores for nothing on small models and let the last bits depend on how rows are split.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 4,
};

/**
 * Rows are padded to a multiple of this, by element type: the lanes of a 128-bit vector. Vectorised operators
 * treat what is left over with other instructions, which differ in the last bits (measured: the logarithm of a
 * lone row); with nothing left over, a row gives the same bits in any company.
 */
const rowMultiple = { float64: 2, float32: 4 } as const;

/**
 * ONNX Runtime on the CPU, in this thread. Creating a session blocks the event loop, so models are loaded at start;
 * a run of a small model takes 20 to 30 µs.
 */
export function createOnnxEngine(): InferenceEngine {
  const loaded = new Set<Promise<LoadedModel>>();
  let closed = false;
  return {
    load(model) {
      if (closed) return Promise.reject(new PredictionError('SHUTTING_DOWN', 'The inference engine is closed.'));
      const loading = loadModel(model);
      loaded.add(loading);
      loading.catch(() => loaded.delete(loading));
      return loading;
    },
    async close() {
      closed = true;
      const models = await Promise.allSettled(loaded);
      loaded.clear();
      await Promise.all(models.map((model) => (model.status === 'fulfilled' ? model.value.release() : undefined)));
    },
  };
}

async function loadModel(model: EngineModel): Promise<LoadedModel> {
  refuseExternalData(model);
  const session = await createSession(model);
  try {
    checkTensor(model, 'input', session.inputMetadata);
    checkTensor(model, 'output', session.outputMetadata);
  } catch (error) {
    await session.release();
    throw error;
  }
  return sessionModel(model, session);
}

function refuseExternalData(model: EngineModel): void {
  let external: boolean;
  try {
    external = hasExternalData(model.artefact);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw invalid(model, `model.onnx is not an ONNX model: ${cause.message}`, cause);
  }
  if (external) {
    throw invalid(model, 'model.onnx keeps tensors in other files (external data); save it as one file');
  }
}

async function createSession(model: EngineModel): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(model.artefact, sessionOptions);
  } catch (cause) {
    throw invalid(model, `model.onnx is refused by ONNX Runtime: ${messageOf(cause)}`, cause);
  }
}

/** One tensor with the declared name, type and columns; rows must be free, or no batch could run. */
function checkTensor(
  model: EngineModel,
  side: 'input' | 'output',
  found: readonly ort.InferenceSession.ValueMetadata[],
): void {
  const expected = model[side];
  const names = found.map((tensor) => tensor.name).join(', ');
  const tensor = found.find((candidate) => candidate.name === expected.name);
  if (tensor === undefined) {
    throw invalid(model, `model.onnx has no ${side} named ${expected.name}; it has: ${names}`);
  }
  if (side === 'input' && found.length > 1) {
    throw invalid(
      model,
      `model.onnx has ${found.length} inputs (${names}); the manifest declares one, ${expected.name}`,
    );
  }
  if (!tensor.isTensor) throw invalid(model, `model.onnx: ${side} ${expected.name} is not a tensor`);
  if (tensor.type !== expected.type) {
    throw invalid(
      model,
      `model.onnx: ${side} ${expected.name} has type ${tensor.type}; the manifest declares ${expected.type}`,
    );
  }
  const [rows, columns] = tensor.shape;
  if (tensor.shape.length !== 2 || typeof rows === 'number' || columns !== expected.columns) {
    throw invalid(
      model,
      `model.onnx: ${side} ${expected.name} has shape [${tensor.shape.join(', ')}]; ` +
        `the manifest declares [rows, ${expected.columns}], rows left free`,
    );
  }
}

function sessionModel(model: EngineModel, session: ort.InferenceSession): LoadedModel {
  const running = new Set<Promise<number[][]>>();
  let released: Promise<void> | undefined;
  return {
    run(rows) {
      if (released !== undefined) {
        return Promise.reject(new PredictionError('MODEL_NOT_READY', `${model.key} was released; it runs no more.`));
      }
      const run = runRows(model, session, rows);
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
}

async function runRows(
  model: EngineModel,
  session: ort.InferenceSession,
  rows: readonly (readonly number[])[],
): Promise<number[][]> {
  if (rows.length === 0) return [];
  const multiple = rowMultiple[model.input.type];
  const paddedRows = Math.ceil(rows.length / multiple) * multiple;
  const input = inputTensor(model, rows, paddedRows);
  let outputs: ort.InferenceSession.ReturnType;
  try {
    outputs = await session.run({ [model.input.name]: input }, [model.output.name]);
  } catch (cause) {
    throw new PredictionError('INFERENCE_FAILED', `${model.key} failed to run: ${messageOf(cause)}`, { cause });
  }
  return outputRows(model, outputs[model.output.name], rows.length, paddedRows);
}

function inputTensor(model: EngineModel, rows: readonly (readonly number[])[], paddedRows: number): ort.Tensor {
  const { columns, type, acceptsNaN = false } = model.input;
  const length = paddedRows * columns;
  const data = type === 'float64' ? new Float64Array(length) : new Float32Array(length);
  for (let r = 0; r < paddedRows; r++) {
    const index = Math.min(r, rows.length - 1);
    const row = rows[index] ?? [];
    if (row.length !== columns) {
      throw new PredictionError(
        'INFERENCE_FAILED',
        `${model.key}: row ${index} has ${row.length} columns; the model takes ${columns}.`,
      );
    }
    data.set(row, r * columns);
  }
  const bad = data.findIndex((value) => !Number.isFinite(value) && !(acceptsNaN && Number.isNaN(value)));
  if (bad >= 0) {
    throw new PredictionError(
      'INFERENCE_FAILED',
      `${model.key}: row ${Math.floor(bad / columns)}, column ${bad % columns} is no finite ${type}; the model was not run.`,
    );
  }
  return new ort.Tensor(type, data, [paddedRows, columns]);
}

function outputRows(
  model: EngineModel,
  tensor: ort.OnnxValue | undefined,
  rows: number,
  paddedRows: number,
): number[][] {
  const { columns, name } = model.output;
  if (!isTensor(tensor) || tensor.dims.length !== 2 || tensor.dims[0] !== paddedRows || tensor.dims[1] !== columns) {
    const shape = isTensor(tensor) ? `[${tensor.dims.join(', ')}]` : 'no tensor';
    throw new PredictionError(
      'INFERENCE_FAILED',
      `${model.key}: output ${name} is ${shape}; expected [${paddedRows}, ${columns}].`,
    );
  }
  const values = Array.from(tensor.data as Float64Array | Float32Array);
  return Array.from({ length: rows }, (_, row) => {
    const result = values.slice(row * columns, (row + 1) * columns);
    const bad = result.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new PredictionError('INFERENCE_FAILED', `${model.key}: output ${name}, column ${bad} is no finite number.`);
    }
    return result;
  });
}

function isTensor(value: ort.OnnxValue | undefined): value is ort.Tensor {
  return value !== undefined && 'dims' in value && 'data' in value;
}

function invalid(model: EngineModel, reason: string, cause?: unknown): PredictionError {
  return new PredictionError('MODEL_INVALID', `Model ${model.key} is refused: ${reason}.`, { cause });
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
}
