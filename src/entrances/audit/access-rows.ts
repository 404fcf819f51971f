import { isFhirId } from '../../fhir/reference.ts';
import { resourceTypes } from '../../fhir/resource-types.ts';
import type { EntryAccess, FinishedRequest } from '../../http/finished-request.ts';
import type { AccessAction, AccessRow } from '../../monitoring/access-row.ts';
import { cleanedQuery } from './cleaned-query.ts';

export interface AccessFrame {
  readonly tenant: string;
  readonly recorded: Date;
  readonly newId: () => string;
  /** The FHIR base of this server. */
  readonly fhirBase: string;
  /** Names subjects of `$predict`, which may live on another server. */
  readonly subjectBase: string;
}

/** Reads of nobody's data: what this server is and can do. */
const aboutTheServer = /^\/(health|metrics|schemas|models|\.well-known)(\/|$)|^\/fhir\/R4\/metadata$/;
/** Whoever was refused at the door is accounted for wherever the door is. */
const denials: ReadonlySet<number> = new Set([401, 403, 429]);

/**
 * The rows that keep account of a request: one; one for each entry of a Bundle. None where it was about nobody's data, nor
 * where a prediction came of `$predict`: the prediction log has that one. None for a refusal of a caller that was refused for
 * its rate in the same minute already: nobody may fill, by asking, a table of which nothing may be removed for six months.
 */
export function accessRows(finished: FinishedRequest, frame: AccessFrame): AccessRow[] {
  const { method, route, url, status, errorCode, entries, location, subject, form } = finished;
  if (finished.isRepeatedRefusal) return [];
  const denied = denials.has(status);
  if (!denied && (aboutTheServer.test(url.split('?')[0] ?? '') || isDiscovery(method, route))) return [];
  const isPredict = route.endsWith('$predict');
  if (isPredict && (status === 200 || errorCode === 'ABSTAINED')) return [];
  const base = isPredict ? frame.subjectBase : frame.fhirBase;
  const below = url.startsWith('/fhir/R4/') ? url.slice('/fhir/R4/'.length) : undefined;
  const made = (access: EntryAccess & { readonly form?: string }, isFhir: boolean): AccessRow => ({
    ...accessColumns(access, isFhir),
    ...requestColumns(finished, frame),
    fhir_base: base,
  });
  if (entries !== undefined) return entries.map((entry) => made(entry, true));
  const access = {
    method,
    url: below ?? url,
    status,
    ...(location !== undefined && { location }),
    ...(subject !== undefined && { subject }),
    ...(form !== undefined && { form }),
  };
  return [made(access, below !== undefined)];
}

function isDiscovery(method: string, route: string): boolean {
  return route === '/cds-services' && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS');
}

/** Whoever was refused for not having said who it is. */
const unidentified = { client: 'unidentified', key: 'unidentified', provedBy: 'nothing', user: undefined } as const;

function requestColumns(finished: FinishedRequest, frame: AccessFrame) {
  const { requestId, route, status, errorCode, durationMs } = finished;
  const principal = status === 401 ? unidentified : finished.principal;
  return {
    id: frame.newId(),
    tenant: frame.tenant,
    recorded: frame.recorded,
    request_id: requestId,
    way: 'http' as const,
    client: principal.client,
    client_key: principal.key,
    user_ref: principal.user ?? null,
    proved_by: principal.provedBy,
    route,
    error_code: errorCode ?? null,
    total_ms: durationMs,
  };
}

type AccessColumns = Pick<
  AccessRow,
  'action' | 'interaction' | 'resource_type' | 'resource_id' | 'subject_id' | 'query' | 'status'
>;

/** What one access was about. An id stands here only where something was found under it, or where a known caller was refused. */
function accessColumns(access: EntryAccess & { readonly form?: string }, isFhir: boolean): AccessColumns {
  const { status, location, subject } = access;
  if (!isFhir) return { ...nothing, action: actionOf(access.method, undefined), status, resource_id: uuidIn(access) };
  const [path = '', query = ''] = access.url.split('?');
  // The store passes over empty parts too: `/Patient//17` is Patient/17 there.
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  const [type = '', id = ''] = parts;
  const interaction = interactionOf(access.method, parts);
  if (!resourceTypes.has(type)) return { ...nothing, action: 'E', interaction, status };
  const isKnown = status < 400 || [403, 409, 410, 412].includes(status);
  const stored = /(?:^|\/)[A-Z][A-Za-z]+\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/|$)/.exec(location ?? '')?.[1];
  const resourceId = stored ?? (isKnown && isFhirId(id) && !id.startsWith('_') ? id : null);
  const searched =
    interaction === 'search-type' && status < 400 ? cleanedQuery(type, `${query}&${access.form ?? ''}`) : undefined;
  return {
    action: actionOf(access.method, interaction),
    interaction,
    resource_type: type,
    resource_id: resourceId,
    subject_id: (type === 'Patient' ? resourceId : null) ?? (isKnown ? subject : null) ?? searched?.subject ?? null,
    query: searched?.text ?? null,
    status,
  };
}

const nothing = { interaction: null, resource_type: null, resource_id: null, subject_id: null, query: null };

/** A run, or another thing that is named by a UUID of ours. */
function uuidIn({ url, status }: EntryAccess): string | null {
  if (status >= 400) return null;
  return /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(url.split('?')[0] ?? '')?.[0] ?? null;
}

/** Code of restful-interaction; null where there is no such interaction. */
function interactionOf(method: string, [, id, history, version]: readonly string[]): string | null {
  if ([id, history].some((part) => part?.startsWith('$'))) return 'operation';
  const isRead = method === 'GET' || method === 'HEAD';
  if (id === '_search') return 'search-type';
  if (history === '_history') return version === undefined ? 'history-instance' : 'vread';
  if (isRead) return id === undefined || id === '' ? 'search-type' : 'read';
  return ({ POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const)[method] ?? null;
}

const actions: Readonly<Record<string, AccessAction>> = {
  read: 'R',
  vread: 'R',
  'history-instance': 'R',
  create: 'C',
  update: 'U',
  patch: 'U',
  delete: 'D',
};

function actionOf(method: string, interaction: string | null | undefined): AccessAction {
  if (interaction === undefined) return method === 'GET' || method === 'HEAD' ? 'R' : method === 'DELETE' ? 'D' : 'E';
  return actions[interaction ?? ''] ?? 'E';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return ''; // it is refused as what cannot be decoded
  }
}
