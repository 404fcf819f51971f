/** How a loaded model is run, and what that rests on: shown at `/models/{id}`, and in part in the Device of its results. */
export interface EngineReport {
  /** inline: in the main thread; thread, process: apart from it; remote: by another server. */
  readonly place: 'inline' | 'thread' | 'process' | 'remote';
  /** Why there, with the numbers. */
  readonly because: string;
  /** What runs it, with its version: `onnxruntime 1.30.0`. */
  readonly runtime: string;
  /** Threads of one operator; absent where another server decides. */
  readonly threads?: number;
  /** How long opening the graph took in a process of its own, in milliseconds. */
  readonly openMs: number;
  /**
   * How long one run took, the least of several, in milliseconds; of rows as the graph gets them: with `padded` none has fewer than
   * `padTo`, and a lone row costs as much as the first.
   */
  readonly runs: readonly { readonly rows: number; readonly ms: number }[];
  readonly batches: BatchGrade;
  readonly device: DeviceReport;
}

/**
 * Whether a row scores the same alone and in company, measured at load: `bitwise` as it is, `padded` where rows are filled
 * up to a multiple of `padTo`, `tolerance` where some differ by at most `maxDifference` (absolute).
 * `single`: each row is a run of its own, since the graph has no free number of rows, rows change each other by more than
 * rounding, nothing could be measured, or filling up would make a lone row far dearer.
 */
export type BatchGrade =
  | { readonly grade: 'bitwise' | 'single' }
  | { readonly grade: 'padded'; readonly padTo: number }
  | { readonly grade: 'tolerance'; readonly maxDifference: number };

/** What the site wants of devices for one model. */
export type DevicePolicy = 'cpu' | 'prefer-gpu' | 'require-gpu';

export interface DeviceReport {
  readonly policy: DevicePolicy;
  /** What runs it: `cpu`, `cuda`, `tensorrt`, `webgpu`, or `remote`. */
  readonly provider: 'cpu' | 'cuda' | 'tensorrt' | 'webgpu' | 'remote';
  /** How many of the nodes of the graph run on that device; absent for the CPU and other servers. */
  readonly nodes?: { readonly onDevice: number; readonly onCpu: number };
  /** The same rows on the CPU: the largest difference that was found, and what is allowed. */
  readonly parity?: {
    readonly rows: number;
    readonly maxDifference: number;
    readonly absolute: number;
    readonly relative: number;
  };
  /** Why it does not run on a GPU although that was preferred. */
  readonly fallback?: string;
}
