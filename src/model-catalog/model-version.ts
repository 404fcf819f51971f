import type { AppliedSite } from './applied-site.ts';
import type { Governance } from './card/governance-schema.ts';
import type { CardFiles } from './cds-cards/read-card-files.ts';
import type { EngineReport } from './engine-report.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import type { GoldenCase } from './golden-case-schema.ts';
import type { Manifest } from './manifest-schema.ts';
import type { ModelCard } from './model-card-schema.ts';
import type { ModelRow } from './model-row.ts';
import type { Lookups } from './read-lookups.ts';
import type { ReadValueSet } from './read-value-sets.ts';
import type { RegistrationReport } from './registration/registration-report.ts';
import type { RunOptions } from './run-options.ts';
import type { TensorForm, Tensors } from './tensor.ts';

/** One version folder, read and checked: everything the server knows of a model. */
export interface ModelVersion {
  /** `id@version`, as in messages, logs and keys. */
  readonly key: string;
  readonly manifest: Manifest;
  /** With the codes in the place of value sets and concepts, those of the site file included. */
  readonly featureMap: FeatureMap;
  /** The tables that features of the map look something up in. */
  readonly lookups: Lookups;
  /** Where the codes of the map come from that its lists do not name one by one. */
  readonly valueSets: readonly ReadValueSet[];
  /** What the site file adds to it; absent where it says nothing of what this model reads. */
  readonly site?: AppliedSite;
  readonly card: ModelCard;
  /** Words and drafts of its CDS Hooks cards. */
  readonly cardFiles: CardFiles;
  /** What the site file says in the place of the card, see `cardAtSite`. It is no part of the digest. */
  readonly governance?: Governance;
  /** Of every file in `golden/`, in the order of their names. */
  readonly goldenCases: readonly GoldenCase[];
  /** The versions whose outputs features of the map take, in the order of the map; each with those that it uses in turn. */
  readonly uses: readonly UsedVersion[];
  /** All that is read of a record for this version, see `gatheredMap`. */
  readonly gathered: FeatureMap;
  /** Rows of explanation/background.csv, as the model takes them; for a method that needs them. */
  readonly background?: readonly (readonly number[])[];
  /** The bytes of model.onnx whose checksum was verified. */
  readonly artefact: Uint8Array;
  /**
   * SHA-256 (hex) over the name and SHA-256 of each file, the manifest included, in the order of their names, and over the
   * tables and sentences of this release (`compiledTables`): equal exactly when every byte is equal that changes a number or
   * what is shown of it. Where a site file adds to it, over that and its id and
   * version too; where it uses other models, over their digests too.
   */
  readonly digest: string;
}

/** A version that another one uses, as that keeps it: it is run by what the catalog loaded. */
export type UsedVersion = Omit<ModelVersion, 'artefact' | 'goldenCases' | 'background'>;

/** A model version whose artefact is loaded and has passed its golden cases. */
export interface LoadedVersion extends ModelVersion {
  /** The tests that it passed. */
  readonly registration: RegistrationReport;
  /** How long loading and the golden cases took. */
  readonly loadMs: number;
  /** Rows in the order of the manifest's input columns; rows of all declared outputs out. See `LoadedModel` of the engine. */
  run(rows: readonly ModelRow[], options?: RunOptions): Promise<number[][]>;
  /** Tensors in, tensors out, past every rule about people and numbers. */
  infer(feeds: Tensors, wanted?: readonly string[], options?: RunOptions): Promise<Tensors>;
  /** What the graph takes and gives. */
  readonly inputs: readonly TensorForm[];
  readonly outputs: readonly TensorForm[];
  /** How it is run. */
  readonly engine: EngineReport;
  release(): Promise<void>;
}
