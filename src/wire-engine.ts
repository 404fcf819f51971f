import { createDevices } from './inference/devices/create-devices.ts';
import { createChildRunner } from './inference/devices/run-in-child.ts';
import { usualMemoryMb } from './inference/graph-parts.ts';
import type { InferenceEngine } from './inference/inference-engine.ts';
import { createOnnxEngine } from './inference/onnx-engine.ts';
import { createPlacedEngine } from './inference/placed-engine.ts';
import { type Engines, placementOf, readEngines } from './inference/read-engines.ts';
import { type Config, inferenceEnvironment } from './platform/config.ts';
import type { Logger } from './platform/logger.ts';

/** What runs the models, each as ENGINES_FILE says. Throws CONFIG_INVALID. */
export async function openEngine(
  config: Pick<Config, 'enginesFile'>,
  logger: Logger,
  opened: (close: () => Promise<void>) => void,
): Promise<{ readonly engines: Engines; readonly engine: InferenceEngine }> {
  const engines = await readEngines(config.enginesFile);
  const environment = inferenceEnvironment();
  const onnx = createOnnxEngine({
    triesApart: true,
    limits: { memoryMb: usualMemoryMb, environment },
    isIsolated: (key) => placementOf(engines, key).isolated === true,
    devices: createDevices({ run: createChildRunner(environment), logger }),
    policyOf: (key) => placementOf(engines, key).device ?? 'cpu',
    lost: (model, place, reason) => logger.event({ name: 'model.engine-lost', model, place, reason }),
  });
  const engine = createPlacedEngine(engines, onnx);
  opened(() => engine.close());
  return { engines, engine };
}
