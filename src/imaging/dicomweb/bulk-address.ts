/**
 * Where a BulkDataURI of a server leads: below its base at its own origin, or undefined. It may be relative to what it was found in, or
 * name a host that the server believes to be itself behind a proxy (DW-15): then only its path counts, and only where it lies below ours.
 * @param foundAt absolute URL of the metadata
 * @returns absolute URL
 */
export function bulkAddress(uri: string, base: string, foundAt: string): string | undefined {
  const url = URL.parse(uri, foundAt);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  const own = new URL(base);
  if (!url.pathname.startsWith(`${own.pathname.replace(/\/+$/, '')}/`)) return undefined;
  return `${own.origin}${url.pathname}${url.search}`;
}
