import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';
import { shippedModel } from './shipped-model.ts';
import { unloadedEngine } from './unloaded-engine.ts';

const read = await shippedModel('prevent-base');

/** `prevent-base` under other versions, each with a digest of its own; they run nothing. @param versions the highest first */
export function loadedVersions(versions: Readonly<Record<string, string>>): LoadedVersion[] {
  return Object.entries(versions).map(([version, digest]) => ({
    ...read,
    ...unloadedEngine,
    key: `prevent-base@${version}`,
    manifest: { ...read.manifest, version },
    digest,
  }));
}
