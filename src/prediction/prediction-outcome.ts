import type { RiskAssessment } from '@medplum/fhirtypes';
import type { ModelInputs } from '../features/feature-vector.ts';

/** The model version that spoke or abstained. */
export interface NamedModel {
  readonly id: string;
  readonly version: string;
  readonly digest: string;
}

interface Outcome {
  readonly model: NamedModel;
  readonly asOf: Date;
  /** The same for the same inputs, model and as-of. */
  readonly identifier: string;
  readonly inputs: ModelInputs;
}

/** A result: at least one outcome has a score. */
export interface Scored extends Outcome {
  readonly state: 'scored';
  /** With an id only if it lies in the own store. */
  readonly resource: RiskAssessment;
  /** Probability 0..1 by outcome id; outcomes the model abstained about have none. */
  readonly scores: ReadonlyMap<string, number>;
}

/** The model may not speak about this subject, about no outcome at all; the verdicts say why. */
export interface Abstained extends Outcome {
  readonly state: 'abstained';
}

export type PredictionOutcome = Scored | Abstained;
