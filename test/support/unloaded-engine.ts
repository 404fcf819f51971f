import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';

/** What a version that was only read lacks of a loaded one: an engine that runs nothing. */
export const unloadedEngine: Pick<
  LoadedVersion,
  'loadMs' | 'registration' | 'run' | 'infer' | 'inputs' | 'outputs' | 'engine' | 'release'
> = {
  loadMs: 1,
  registration: { folder: 'test/1.0.0', state: 'ready', at: '2026-03-01T09:00:00.000Z', durationMs: 1, checks: [] },
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
