import { isFhirId, parseRelativeReference } from '../../fhir/reference.ts';
import { PredictionError } from '../../platform/errors.ts';

/** What a notice says has changed: these studies, by their logical ids; something, and not what; or nothing. */
export type Notice = { readonly studies: readonly string[] } | 'something' | 'nothing';

/** Of one Bundle: it is kept in one statement. */
const mostStudies = 1_000;
/** Types of a notification of the Subscriptions R5 Backport that tell of no event (SUB-12). */
const withoutEvents: readonly string[] = ['handshake', 'heartbeat', 'query-status'];

type Given = Readonly<Record<string, unknown>>;

/**
 * Reads from a notice which studies it is about, and nothing else of it: it is an untrusted trigger (SUB-15). An empty body is
 * a notice without payload (SUB-2); an ImagingStudy is the payload of R4 (SUB-3); a Bundle of type history is a
 * notification of the Subscriptions R5 Backport (SUB-11).
 * Throws PARAMETER_INVALID.
 */
export function parseNotice(body: unknown): Notice {
  if (body === undefined) return 'something';
  if (!isObject(body)) throw refused();
  if (body.resourceType === 'ImagingStudy') {
    if (typeof body.id === 'string' && isFhirId(body.id)) return { studies: [body.id] };
    throw refused('The ImagingStudy has no id, by which it could be read.');
  }
  if (body.resourceType === 'Bundle') return noticeOf(body);
  throw refused();
}

function noticeOf(bundle: Given): Notice {
  const entries = listOf(bundle.entry);
  const [status] = entries;
  const parameters = isObject(status?.resource) ? listOf(status.resource.parameter) : [];
  const type = parameters.find(({ name }) => name === 'type')?.valueCode;
  if (typeof type === 'string' && withoutEvents.includes(type)) return 'nothing';
  if (bundle.type !== 'history' || type === undefined)
    throw refused('A Bundle must be a notification: of type history, with its Parameters of the status first.');
  const focused = parameters
    .filter(({ name }) => name === 'notification-event')
    .flatMap(({ part }) => listOf(part))
    .filter(({ name }) => name === 'focus')
    .flatMap(({ valueReference }) => (isObject(valueReference) ? studyIn(valueReference.reference) : []));
  const entered = entries.slice(1).flatMap(({ resource, fullUrl, request }) => {
    const named =
      isObject(resource) && resource.resourceType === 'ImagingStudy' ? `ImagingStudy/${resource.id}` : undefined;
    return [...studyIn(named), ...studyIn(fullUrl), ...(isObject(request) ? studyIn(request.url) : [])];
  });
  const studies = [...new Set([...focused, ...entered])];
  if (studies.length > mostStudies)
    throw refused(`The Bundle tells of ${studies.length} studies; send at most ${mostStudies} at once.`);
  return studies.length === 0 ? 'something' : { studies };
}

/** `ImagingStudy/17`, also at the end of an absolute URL: the study is read from the record source, whatever stands before it. */
function studyIn(reference: unknown): string[] {
  if (typeof reference !== 'string' || reference.length > 2_000) return [];
  const [tail] = /ImagingStudy\/[^?#]*$/.exec(reference) ?? [];
  const named = tail === undefined ? undefined : parseRelativeReference(tail);
  return named?.type === 'ImagingStudy' ? [named.id] : [];
}

function listOf(value: unknown): Given[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(message = 'A notice is an ImagingStudy, a notification Bundle, or empty.'): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, expression: 'resourceType' }],
  });
}
