/**
 * The service base that an address means: without `/studies` and a slash at the end, as an Endpoint may have them (DW-4), its host
 * in lower case and its port only where it is not the usual one. Undefined where it is no plain http or https URL.
 */
export function baseOf(address: string): string | undefined {
  const url = URL.parse(address.trim());
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined;
  return `${url.origin}${url.pathname
    .replace(/\/+$/, '')
    .replace(/\/studies$/, '')
    .replace(/\/+$/, '')}`;
}
