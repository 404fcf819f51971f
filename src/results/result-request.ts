import type { Explanation } from '../explanation/contribution.ts';
import type { ModelInputs } from '../features/feature-vector.ts';
import type { AppliedSite } from '../model-catalog/applied-site.ts';
import type { EngineReport } from '../model-catalog/engine-report.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import type { ScoreDetail } from '../model-catalog/score-detail.ts';
import type { ResultFrame } from './result-frame.ts';

/** The model version that made a result. */
export interface PredictedModel {
  readonly id: string;
  readonly version: string;
  readonly title: string;
  /** See ModelVersion.digest. */
  readonly digest: string;
  readonly manifest: Manifest;
  /** What runs it. */
  readonly engine: Pick<EngineReport, 'runtime' | 'batches' | 'device' | 'threads'>;
  /** The local codes and units that its features were read by. */
  readonly site?: AppliedSite;
}

export interface ResultSubject {
  readonly tenant: string;
  /** Absolute FHIR base without a trailing slash. */
  readonly base: string;
  /** Logical id of the Patient on that base. */
  readonly id: string;
  /** True where the base is the own store: references to it stay relative. */
  readonly own: boolean;
}

/** How a feature is named to a reader; an entry of the feature map is one. */
export interface FeatureLabel {
  readonly label: string;
  /** UCUM; absent for yes-or-no and coded features. */
  readonly unit?: string;
}

/** A picture for the reader of a report: an image with what moved a score drawn over it. */
export interface ReportPicture {
  readonly title: string;
  readonly png: Uint8Array;
  readonly rows: number;
  readonly columns: number;
}

/** Step 5 of the path: all that a result is built from. */
export interface ResultRequest {
  readonly model: PredictedModel;
  /** What all results of this model version have in common. */
  readonly frame: ResultFrame;
  readonly subject: ResultSubject;
  /** Logical id of the encounter on the subject's base. */
  readonly encounter?: string;
  /** The order or appointment that it is about: `Type/id` on the subject's base, or `Type#hash` of a draft. */
  readonly focus?: string;
  /** `Type/id` of a saved order or appointment that it is about and that was read in the record of the subject: whose it is, is known. */
  readonly basedOn?: string;
  readonly asOf: Date;
  readonly computedAt: Date;
  /** IANA zone of the site. */
  readonly timeZone: string;
  readonly inputs: ModelInputs;
  /** By outcome id, unrounded: probability 0..1, points, value in the unit, number of the class, or anomaly; one for every outcome whose verdict is `score`. */
  readonly scores: ReadonlyMap<string, number>;
  /** By outcome id: what the model says beside the score. */
  readonly details: ReadonlyMap<string, ScoreDetail>;
  /** Contributions, or the reason why there are none. */
  readonly explanation: Explanation | { readonly none: string };
  /** For a report; absent where nothing was drawn. */
  readonly pictures?: readonly ReportPicture[];
  /** Why a report has no pictures although its model makes some, in words. */
  readonly noPictures?: string;
  /** See `resultIdentifier`: that of this very result. */
  readonly identifier: string;
  /** By feature name: the features of the map. */
  readonly features: Readonly<Record<string, FeatureLabel>>;
  /** True where the subject is marked as test data (HTEST): the result says so too. */
  readonly testData: boolean;
  /** True where the record is what the caller sent, and nobody else was asked. */
  readonly heldByCaller: boolean;
  /** `Device/…` of the model version. */
  readonly deviceReference: string;
  /** URL of the card of the model version. */
  readonly modelCard: string;
}
