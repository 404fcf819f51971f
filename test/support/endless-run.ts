import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { children } from './child-processes.ts';
import { loopOnnx } from './slow-onnx.ts';

/** Runs a model in a process of its own, which never ends, and prints that process's id once it is busy. */
const engine = createOnnxEngine({ isIsolated: () => true });
const before = children();
const model = await engine.load({
  key: 'endless@1.0.0',
  artefact: loopOnnx(2),
  inputs: [{ name: 'x', type: 'float64', columns: 2 }],
  outputs: [{ name: 'risk', type: 'float64', columns: 2 }],
  samples: [[1, 2]],
});
await model.run([[1, 2]]);
const [pid] = children().filter((id) => !before.includes(id));
const endless = model.run([[1e15, 1]]);
setImmediate(() => process.stdout.write(String(pid)));
await endless;
