import type { Device, Resource } from '@medplum/fhirtypes';
import type { Explainer } from '../explanation/create-explainer.ts';
import type { SaliencyMethod } from '../explanation/create-saliency.ts';
import type { RunningTime } from '../explanation/running-time.ts';
import type { CompiledFeatureMap } from '../features/compile-feature-map.ts';
import type { ImagingParts } from '../imaging/read-images.ts';
import type { AppliedSite } from '../model-catalog/applied-site.ts';
import type { EngineReport } from '../model-catalog/engine-report.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import type { ModelRow } from '../model-catalog/model-row.ts';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import type { RunOptions } from '../model-catalog/run-options.ts';
import type { VersionState } from '../model-catalog/standing.ts';
import type { Clock } from '../platform/clock.ts';
import type { LogEvent } from '../platform/events.ts';
import type { RecordSource } from '../records/record-source.ts';
import type { ResultFrame } from '../results/result-frame.ts';
import type { OutcomeRecord, ResultResources, WriteReceipt } from '../write-back/outcome-record.ts';

/** What it takes to ask a model version about a record. */
export interface UsableModel {
  readonly manifest: Manifest;
  readonly compiled: CompiledFeatureMap;
  /** See LoadedModel.run. */
  readonly run: (rows: readonly ModelRow[], options?: RunOptions) => Promise<number[][]>;
  /** The models whose outputs the map takes. */
  readonly uses: readonly UsableModel[];
}

/** A model version, loaded and compiled. */
export interface PredictableModel extends UsableModel {
  /** See ModelVersion.digest. */
  readonly digest: string;
  /** Only what a default says is kept as a result. */
  readonly state: VersionState;
  /** What runs it. */
  readonly engine: EngineReport;
  /** What its results name as their maker, with its card. */
  readonly device: Device & { id: string };
  /** What the site file adds to it. */
  readonly site?: AppliedSite;
  /** See `readByUsed`. */
  readonly readByUsed: ReadonlyMap<string, readonly string[]>;
  /** Its contributions, by the method that its manifest names. */
  readonly explainer: Explainer;
  /** How long contributions of this version have taken. */
  readonly explainTime: RunningTime;
  /** Where an image moved its scores, and how long that has taken; absent where its manifest declares no pictures. */
  readonly saliency?: { readonly method: SaliencyMethod; readonly time: RunningTime };
  /** What all its results have in common. */
  readonly resultFrame: ResultFrame;
  /** What is asked about a subject, in this house. */
  queriesAt(asOf: Date): readonly RecordQuery[];
}

/** A FHIR server that a call names. */
export interface OpenServer {
  readonly source: RecordSource;
  /** See PredictionParts.subjectBase. */
  readonly subjectBase: string;
  close(): Promise<void>;
}

/** Everything the path needs of the house; made once, in `wire.ts`. */
export interface PredictionParts {
  readonly tenant: string;
  readonly source: RecordSource;
  /**
   * The FHIR base that names the subject in keys and identifiers. For the own store it is the base of its first start,
   * so that another port or public name does not make other subjects of its patients.
   */
  readonly subjectBase: string;
  /**
   * The own store, or a server that CDS_FHIR_SERVERS lists, asked with the token of the call and no other credentials;
   * undefined for every other one. The caller closes it.
   */
  openServer(base: string, accessToken: string | undefined): OpenServer | undefined;
  /** Step 6 of the path; see `write-back/write-results.ts`. */
  readonly writeResult: (record: OutcomeRecord, resources?: ResultResources) => Promise<WriteReceipt>;
  /** Whether results of demonstration models may be written: none leaves the own store, or the site has said so. */
  readonly writesDemonstrations: boolean;
  /** URL of this server, without a trailing slash: what results link to lies below it. */
  readonly serverUrl: string;
  readonly clock: Clock;
  /** How images are read; absent: no image server is configured, and no model that needs one speaks. */
  readonly imaging?: ImagingParts;
  /** IANA zone of the site. */
  readonly timeZone: string;
  /** Throws MODEL_UNKNOWN, MODEL_NOT_READY, MODEL_DISABLED. */
  findModel(id: string, version?: string): PredictableModel;
  /** Throws RESOURCE_INVALID where the resource breaks base R4. `path` is its place in what the caller sent. */
  validate(resource: Resource, path?: string): void;
  event(event: LogEvent): void;
}
