import { expect, test } from 'vitest';
import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';
import { keptWithoutFolder } from '../../src/model-catalog/without-folder.ts';
import { loadedVersions } from '../support/loaded-versions.ts';

const [any] = loadedVersions({ '1.0.0': 'aa' });

function version(id: string, number: string, uses: readonly LoadedVersion[] = []): LoadedVersion {
  if (any === undefined) throw new Error('there is one');
  return { ...any, key: `${id}@${number}`, manifest: { ...any.manifest, id, version: number }, uses };
}

test('a version whose output a kept default takes is kept too, wherever both stand in the order of the catalog', () => {
  const bottom = version('a', '1.0.0');
  const middle = version('b', '1.0.0', [bottom]);
  const top = version('z', '1.0.0', [middle]);
  const idle = version('c', '1.0.0');
  for (const gone of [
    [version('a', '2.0.0'), bottom, middle, idle, top],
    [top, idle, middle, bottom, version('a', '2.0.0')],
  ]) {
    const { kept, refused } = keptWithoutFolder(gone, [], ({ key }) =>
      ['a@2.0.0', 'z@1.0.0'].includes(key) ? 'it is the default of its model' : undefined,
    );
    expect(kept.map(({ key }) => key).sort()).toEqual(['a@1.0.0', 'a@2.0.0', 'b@1.0.0', 'z@1.0.0']);
    expect(refused.find(({ dir }) => dir === 'a/1.0.0')?.reason).toContain('b@1.0.0 takes its output as an input');
  }
});

test('a version that nobody needs goes with its folder', () => {
  expect(keptWithoutFolder([version('a', '1.0.0')], [], () => undefined)).toEqual({ kept: [], refused: [] });
});
