import type { LoadedVersion } from './model-version.ts';

/** By id, then by version, the highest first. */
export function inOrder(versions: readonly LoadedVersion[]): LoadedVersion[] {
  return versions.toSorted(
    (a, b) => compareIds(a.manifest.id, b.manifest.id) || compareVersions(b.manifest.version, a.manifest.version),
  );
}

function compareIds(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Versions are three numbers (manifest schema). */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  const index = left.findIndex((part, position) => part !== right[position]);
  return index < 0 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}
