/**
 * What happened to a version: `begin` is the first default of a model, taken at the first start; the others are asked for.
 */
export type VersionAction = 'begin' | 'promote' | 'roll-back' | 'disable' | 'enable' | 'shadow-on' | 'shadow-off';

/** Who asks for a change, by which way, and why. */
export interface Asked {
  /** As the caller says. */
  readonly requester: string;
  readonly way: 'start' | 'command-line' | 'http';
  /** In the words of who asks; it names no patient. */
  readonly because: string;
}

/** A version as it was when something happened to it. */
export interface RecordedVersion {
  readonly version: string;
  readonly digest: string;
}

/** One change of the life of a model's versions: added, and never changed or removed. */
export interface VersionRecord extends Asked {
  /** Records of a tenant take effect in this order. */
  readonly number: number;
  readonly recorded: Date;
  readonly action: VersionAction;
  readonly model: string;
  /** What it is about; absent where it is about the whole model, or a service. */
  readonly version?: string;
  /** Of the version, as it was loaded then. */
  readonly digest?: string;
  /** Id of the CDS Hooks service that it is about. */
  readonly service?: string;
  /** The default before. */
  readonly from?: RecordedVersion;
}

export type NewVersionRecord = Omit<VersionRecord, 'number' | 'recorded'>;
