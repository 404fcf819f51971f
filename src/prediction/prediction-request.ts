import type { Resource } from '@medplum/fhirtypes';
import type { AssertedInput } from '../features/asserted-input.ts';

/** A resource the caller already holds, and where in the caller's message it stands (FHIRPath), for errors. */
export interface Seed {
  readonly resource: Resource;
  readonly expression: string;
}

/** What every entrance asks of the path: one subject, one model, one instant. */
export interface PredictionRequest {
  readonly requestId: string;
  readonly model: string;
  /** Semantic version; absent: the model's default version. */
  readonly version?: string;
  /** Logical id of the Patient at the record source. */
  readonly subject: string;
  /** Logical id of the Encounter the prediction is made for. */
  readonly encounter?: string;
  /** Nothing that became true or known after this instant is seen. Absent: now, cut to the minute. */
  readonly asOf?: Date;
  readonly seed: readonly Seed[];
  /** Values asserted by the caller; a result that rests on one is never written. */
  readonly inputs: readonly AssertedInput[];
  /** True: the result becomes a resource of the own store. */
  readonly writeBack: boolean;
  /** Aborts the reading of the record; a running inference is never interrupted. */
  readonly signal?: AbortSignal;
}
