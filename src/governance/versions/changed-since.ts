import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import type { RecordedStanding } from './standing-of.ts';

/** Versions (`id@version`) that were given a part as they were then, and are others now: they play it no more. */
export interface ChangedVersions {
  readonly defaults: readonly string[];
  readonly shadows: readonly string[];
}

/** What a release that changed tables or sentences, or an edited SITE_FILE or folder, has stopped. @param versions that are loaded */
export function changedSince(standing: RecordedStanding, versions: readonly LoadedVersion[]): ChangedVersions {
  const keysOf = (digestThen: (version: LoadedVersion) => string | undefined): string[] =>
    versions.filter((version) => ![undefined, version.digest].includes(digestThen(version))).map(({ key }) => key);
  return {
    defaults: keysOf(({ manifest: { id, version } }) => {
      const named = standing.defaultOf(id);
      return named?.version === version ? named.digest : undefined;
    }),
    shadows: keysOf(({ manifest: { id, version } }) => standing.shadowDigest(id, version)),
  };
}
