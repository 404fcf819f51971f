/** Names a version of a study as its server does; undefined where it does not. @param study as a server gave it */
export function studyVersion({ meta }: { readonly meta?: unknown }): string | undefined {
  if (typeof meta !== 'object' || meta === null) return undefined;
  const { versionId, lastUpdated } = meta as { readonly versionId?: unknown; readonly lastUpdated?: unknown };
  if (typeof versionId === 'string') return versionId;
  return typeof lastUpdated === 'string' ? lastUpdated : undefined;
}
