import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import type { NewVersionRecord } from './version-record.ts';
import type { VersionStates } from './version-states.ts';

/**
 * At the first start, for a tenant that has no record: the highest version of each model that loads is its default.
 * A model that comes later has no default until a version is promoted.
 * @param versions by model, the highest first
 */
export async function takeFirstDefaults(states: VersionStates, versions: readonly LoadedVersion[]): Promise<void> {
  if (!states.standing().isEmpty) return;
  // Of servers that start at once the first one decides.
  await states.add((standing) => (standing.isEmpty ? firstDefaults(versions) : []));
}

function firstDefaults(versions: readonly LoadedVersion[]): NewVersionRecord[] {
  const models = [...new Set(versions.map(({ manifest }) => manifest.id))];
  return models.flatMap((model) => {
    const highest = versions.find(({ manifest }) => manifest.id === model);
    return highest === undefined
      ? []
      : [
          {
            action: 'begin' as const,
            model,
            version: highest.manifest.version,
            digest: highest.digest,
            requester: 'fhirsight',
            way: 'start' as const,
            because: 'First start: the highest version that loads.',
          },
        ];
  });
}
