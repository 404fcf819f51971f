const loopback = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The forms in which the log may hold the FHIR base of another server that somebody spells so: without a default port, a
 * slash at the end and capitals in the host; a loopback host under each of its names; http for https and the reverse where
 * the port is the default one. What is no web address stands for itself.
 */
export function fhirBaseSpellings(base: string): readonly string[] {
  const url = /^https?:/i.test(base) ? URL.parse(base) : null;
  if (url === null) return [base];
  const path = url.pathname.replace(/\/+$/, '');
  const schemes = url.port === '' ? ['http:', 'https:'] : [url.protocol];
  const hosts = loopback.includes(url.hostname) ? loopback : [url.hostname];
  const port = url.port === '' ? '' : `:${url.port}`;
  return schemes.flatMap((scheme) => hosts.map((host) => `${scheme}//${host}${port}${path}`));
}
