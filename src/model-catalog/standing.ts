import type { LoadedVersion, ModelVersion } from './model-version.ts';

/**
 * What a version may do:
 * - `default`: answers where no version is named, and in CDS Hooks; exactly one of each model
 * - `shadow`: is scored beside the default on the same requests; its scores are logged and never shown
 * - `candidate`: answers only where its version is named, and nothing of it is written back
 */
export type VersionState = 'default' | 'shadow' | 'candidate';

/** A kill switch that is thrown: since when, and why. */
export interface SwitchedOff {
  /** What is switched off: a model, a version, or a CDS Hooks service of a model. */
  readonly what: string;
  readonly at: Date;
  readonly because: string;
}

/** Which of the loaded versions may speak. Governance keeps it in the database. */
export interface Standing {
  /** The default of a model; undefined: there is none. */
  defaultOf(model: string): (Pick<ModelVersion, 'digest'> & { readonly version: string }) | undefined;
  isShadow(version: Pick<ModelVersion, 'manifest' | 'digest'>): boolean;
  /** Of a model, or of one version of it. */
  switchedOff(model: string, version?: string): SwitchedOff | undefined;
  serviceOff(model: string, service: string): SwitchedOff | undefined;
}

/** Where nobody keeps states: the highest version of each model is its default, and nothing is switched off. @param versions the highest first */
export function highestStands(versions: readonly LoadedVersion[]): Standing {
  return {
    defaultOf(model) {
      const highest = versions.find(({ manifest }) => manifest.id === model);
      return highest && { version: highest.manifest.version, digest: highest.digest };
    },
    isShadow: () => false,
    switchedOff: () => undefined,
    serviceOff: () => undefined,
  };
}
