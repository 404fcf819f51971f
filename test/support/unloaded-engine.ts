import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';

/** What a version that was only read lacks of a loaded one: an engine that runs nothing. */
export const unloadedEngine: Pick<
  LoadedVersion,
  'loadMs' | 'run' | 'infer' | 'inputs' | 'outputs' | 'engine' | 'release'
> = {
  loadMs: 1,
  run: async () => [],
  infer: async () => new Map(),
  inputs: [],
  outputs: [],
  engine: {
    place: 'inline',
    because: 'It is not run.',
    runtime: 'onnxruntime 1.30.0',
    openMs: 0,
    runs: [],
    batches: { grade: 'bitwise' },
    device: { policy: 'cpu', provider: 'cpu' },
  },
  release: async () => undefined,
};
