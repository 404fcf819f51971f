/** Runs the heavy model of `bench/engine.ts` again and again, as a process that no engine knows of. */
import { openOnnxSession } from '../../src/inference/onnx-session.ts';
import { heavyOnnx } from './heavy-onnx.ts';

const session = await openOnnxSession({ key: 'heavy', artefact: heavyOnnx(), provider: 'cpu', threads: 1 });
// As the engine runs one row of it: filled up to 16.
const feeds = new Map([['x', { type: 'float64', dims: [16, 2], data: new Float64Array(32) } as const]]);
process.stdout.write('ready\n');
for (;;) await session.run(feeds, ['risk']);
