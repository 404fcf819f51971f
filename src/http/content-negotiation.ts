import { PredictionError } from '../platform/errors.ts';
import { parseMediaType } from './media-type.ts';

const fhirJson = 'application/fhir+json';
const served: readonly string[] = [fhirJson, 'application/json', 'text/json'];

/** What `_format` may say; a plus sign in a query may have become a space. */
const formats: Readonly<Record<string, string>> = {
  json: fhirJson,
  [fhirJson]: fhirJson,
  'application/fhir json': fhirJson,
  'application/json': 'application/json',
  'text/json': 'text/json',
};

/**
 * The media type of the answer: what `_format` says, else the best of Accept, else FHIR JSON. Throws NOT_ACCEPTABLE
 * where only other formats, or another version of FHIR, will do.
 */
export function negotiateFormat(accept: string | undefined, format: string | undefined): string {
  if (format !== undefined) {
    const [name = '', ...parameters] = format.toLowerCase().split(';');
    // `__proto__` is in every object.
    const type = Object.hasOwn(formats, name.trim()) ? formats[name.trim()] : undefined;
    if (type !== undefined && fitsVersion(parseMediaType(`${type};${parameters.join(';')}`)?.parameters.fhirversion))
      return type;
    throw notAcceptable(`_format '${format.slice(0, 80)}' is not served`);
  }
  if (accept === undefined || accept.trim() === '') return fhirJson;
  const wanted = accept
    .split(',')
    .flatMap((part) => parseMediaType(part) ?? [])
    .map(({ type, parameters }) => ({ type, version: parameters.fhirversion, quality: Number(parameters.q ?? 1) }))
    .filter(({ version, quality }) => quality > 0 && fitsVersion(version))
    .toSorted((a, b) => b.quality - a.quality);
  for (const { type } of wanted) {
    if (served.includes(type)) return type;
    if (type === '*/*' || type === 'application/*') return fhirJson;
    if (type === 'text/*') return 'text/json';
  }
  throw notAcceptable(`None of '${accept.slice(0, 80)}' is served`);
}

/** What a write gives back. */
export type PreferredReturn = 'representation' | 'minimal' | 'OperationOutcome';

/** What the caller wants back from a write (`Prefer: return=…`, OP-32); anything else in the header is left alone. */
export function preferredReturn(prefer: string | undefined): PreferredReturn {
  const [, value] = /(?:^|[,;\s])return\s*=\s*"?(minimal|representation|OperationOutcome)\b/.exec(prefer ?? '') ?? [];
  return value === 'minimal' || value === 'OperationOutcome' ? value : 'representation';
}

/** Whether the caller wants to fetch the answer later (`Prefer: respond-async`, OP-50). */
export function prefersAsync(prefer: string | undefined): boolean {
  return (prefer ?? '').split(/[,;]/).some((preference) => preference.trim().toLowerCase() === 'respond-async');
}

/** How long the caller waits for the answer itself (`Prefer: wait=…`, RFC 7240 section 4.3), in seconds. */
export function preferredWaitSeconds(prefer: string | undefined): number | undefined {
  const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:[,;]|$)/i.exec(prefer ?? '') ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

function fitsVersion(version: string | undefined): boolean {
  return version === undefined || version === '4.0' || version === '4.0.1';
}

function notAcceptable(what: string): PredictionError {
  return new PredictionError(
    'NOT_ACCEPTABLE',
    `${what}; this server answers in ${served.join(', ')} and fhirVersion 4.0.`,
  );
}
