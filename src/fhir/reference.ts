/** A literal reference to a resource on this server. */
export interface RelativeReference {
  readonly type: string;
  readonly id: string;
  readonly versionId?: string;
}

const idShape = '[A-Za-z0-9\\-.]{1,64}';
const relative = new RegExp(`^([A-Z][A-Za-z]{1,63})/(${idShape})(?:/_history/(${idShape}))?$`);
const absolute = /^[a-z][a-z0-9+.-]*:\S+$/i;
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const idOnly = new RegExp(`^${idShape}$`);

/** True for a FHIR logical id: 1 to 64 letters, digits, dashes and dots. */
export function isFhirId(text: string): boolean {
  return idOnly.test(text);
}

/** Reads `Type/id` or `Type/id/_history/version`; undefined for everything else. */
export function parseRelativeReference(reference: string): RelativeReference | undefined {
  const match = relative.exec(reference);
  if (!match?.[1] || !match[2]) return undefined;
  return { type: match[1], id: match[2], ...(match[3] === undefined ? {} : { versionId: match[3] }) };
}

/** True where the text can stand in Reference.reference: a fragment, a relative or an absolute URL. */
export function isWellFormedReference(reference: string): boolean {
  return /^#[^\s]*$/.test(reference) || relative.test(reference) || absolute.test(reference);
}

/**
 * What an absolute URL names below `baseUrl` (`Patient/17`), however the base is spelled; undefined where it leads
 * elsewhere. Case of scheme and host, a default port, and http or https at their default ports make no difference, nor
 * which loopback name stands there (localhost, 127.0.0.1, [::1]).
 */
export function belowBase(reference: string, baseUrl: string): string | undefined {
  if (reference.startsWith(`${baseUrl}/`)) return reference.slice(baseUrl.length + 1);
  if (!/^https?:/i.test(reference)) return undefined;
  const url = URL.parse(reference);
  const base = URL.parse(`${baseUrl}/`);
  if (!url || !base || hostOf(url) !== hostOf(base) || !url.pathname.startsWith(base.pathname)) return undefined;
  return `${url.pathname.slice(base.pathname.length)}${url.search}${url.hash}`;
}

function hostOf({ protocol, hostname, port }: URL): string {
  const host = loopback.has(hostname) ? 'loopback' : hostname;
  return port === '' ? host : `${protocol}//${host}:${port}`;
}

/**
 * The one form in which a reference is compared: `Type/id` for what lives below `baseUrl` (with or without a
 * version, relative or absolute), the URL without its version for what lives elsewhere, and `urn:uuid:…` as
 * `Type/…` where the element's `type` is known. Undefined for fragments: they name something contained.
 * @param expectedType the type a bare urn:uuid is taken for
 */
export function canonicalReference(reference: string, baseUrl: string, expectedType?: string): string | undefined {
  if (reference.startsWith('#')) return undefined;
  const urn = /^urn:uuid:(\S+)$/i.exec(reference)?.[1];
  if (urn !== undefined && expectedType !== undefined && isFhirId(urn)) return `${expectedType}/${urn}`;
  const parsed = parseRelativeReference(belowBase(reference, baseUrl) ?? reference);
  if (parsed) return `${parsed.type}/${parsed.id}`;
  return reference.replace(/\/_history\/[^/]+$/, '');
}
