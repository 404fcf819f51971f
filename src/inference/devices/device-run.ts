import type { Tensors } from '../../model-catalog/tensor.ts';
import type { Provider } from '../model-session.ts';

/** A graph that is opened once on a provider, run on what is given, and released. */
export interface DeviceRunRequest {
  /** `id@version`, for messages. */
  readonly key: string;
  readonly artefact: Uint8Array;
  readonly provider: Provider;
  /** Each is run after the other. */
  readonly feeds: readonly Tensors[];
  readonly wanted: readonly string[];
}

/** Why it did not end with outputs. */
export interface DeviceRunFailure {
  readonly kind: 'not-compiled' | 'refused' | 'crashed' | 'timed-out' | 'not-started';
  /** In the words of whoever refused it. */
  readonly message: string;
  /** The end of what its process wrote: libraries name there what they miss. */
  readonly written: string;
}

export interface DeviceRun {
  /** One for each of `feeds`; where a run failed, why. */
  readonly outputs: readonly (Tensors | string)[];
  readonly nodes: NodeCounts;
  /** The driver, where the device is none: the CPU does its work. */
  readonly software?: string;
}

/** Nodes that ran, of the graph as ONNX Runtime optimised it; copies between devices that it put in are left out. */
export interface NodeCounts {
  readonly onDevice: number;
  readonly onCpu: number;
}

export type DeviceRunResult = DeviceRun | { readonly failure: DeviceRunFailure };

/** Port to what opens and runs a graph where a crash or an endless run harms nobody. Never rejects. */
export type RunOnDevice = (request: DeviceRunRequest, limitMs: number) => Promise<DeviceRunResult>;
