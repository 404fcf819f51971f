import type { Explanation } from '../explanation/contribution.ts';
import type { ModelInputs } from '../features/feature-vector.ts';
import type { Level } from '../model-catalog/outcome-score.ts';
import type { ScoreDetail } from '../model-catalog/score-detail.ts';
import type { ResultResource } from '../results/result-resource.ts';

/** The model version that spoke or abstained. */
export interface NamedModel {
  readonly id: string;
  readonly version: string;
  readonly digest: string;
}

/** How long each step took, in milliseconds; a step that was not reached has no entry. */
export interface StageTimings {
  readonly gatherMs?: number;
  /** With the time of the models whose outputs are inputs. */
  readonly featuresMs?: number;
  readonly inferMs?: number;
  readonly explainMs?: number;
  readonly buildMs?: number;
  readonly writeMs?: number;
}

interface Outcome {
  readonly model: NamedModel;
  readonly asOf: Date;
  /** The same for the same inputs, model and as-of. */
  readonly identifier: string;
  readonly inputs: ModelInputs;
  /** Absolute FHIR base that names the subject in keys; `urn:fhirsight:caller` where only the caller holds the record. */
  readonly subjectBase: string;
  readonly computedAt: Date;
  /** From then on it may not be shown as current. */
  readonly validUntil: Date;
  readonly timings: StageTimings;
  /** What a result of the model is. */
  readonly resultType: ResultResource['resourceType'];
}

/** A result: at least one outcome has a score. */
export interface Scored extends Outcome {
  readonly state: 'scored';
  /** With an id only if it lies in the own store; absent where the request wanted none. */
  readonly resource?: ResultResource;
  /** What a reader must know beside the numbers, most important first: the notes of the resource. */
  readonly remarks: readonly string[];
  /** By outcome id: probability 0..1, points, value in the unit, number of the class, or anomaly; outcomes the model abstained about have none. */
  readonly scores: ReadonlyMap<string, number>;
  /** By outcome id: what the model says beside the score. */
  readonly details: ReadonlyMap<string, ScoreDetail>;
  /** By outcome id: the published band of a score, or its class. */
  readonly levels: ReadonlyMap<string, Level>;
  /** Contributions in no order, or the reason why there are none. */
  readonly explanation: Explanation | { readonly none: string };
  /** True where this call stored the resource. */
  readonly created: boolean;
}

/** The model may not speak about this subject, about no outcome at all; the verdicts say why. */
export interface Abstained extends Outcome {
  readonly state: 'abstained';
}

export type PredictionOutcome = Scored | Abstained;
