import type { AsyncOwners } from './async-owners.ts';
import type { Credential } from './credential.ts';
import type { FuzzCall } from './fuzz-call.ts';
import { type Grant, reaches, reachesEverybody } from './grant.ts';
import { openPaths, routeNeeds } from './route-needs.ts';
import type { FuzzAnswer } from './send-call.ts';

/** Stands in resources that no call of the fuzzer writes: only who may read or search that type may ever see it. */
export const keptWords: Readonly<Record<string, string>> = { Patient: 'Zzyzxpatient', Condition: 'Zzyzxcondition' };

const definitions =
  /^(CapabilityStatement|CodeSystem|ConceptMap|Library|OperationDefinition|SearchParameter|StructureDefinition|ValueSet)$/;

/**
 * Why an answer of a server with AUTH=required let somebody do what the credential does not allow, or gave a token away;
 * undefined where it did not. It knows paths by themselves, whatever router took them, and what they ask for by a table of its own.
 */
export function lettingFault(
  call: FuzzCall,
  answer: FuzzAnswer,
  credential: Credential,
  owners: AsyncOwners,
): string | undefined {
  const { name, grant, parts } = credential;
  const text = answer.body.toString('utf8');
  const everything = text + JSON.stringify(answer.headers);
  if (parts.some((part) => everything.includes(part))) return `${name}: it gives away the token of the call`;
  for (const [type, word] of Object.entries(keptWords))
    if (text.includes(word) && !reachesEverybody(grant, type, 'r') && !reachesEverybody(grant, type, 's'))
      return `${name}: it shows a ${type} to somebody who may not read it`;
  if (answer.status >= 400) return undefined;
  if (call.method === 'OPTIONS' && text === '') return undefined;
  const path = pathOf(call.target);
  const fault = mayPass(call, path, text, grant) ?? asyncFault(path, credential, owners);
  return fault === undefined ? undefined : `${name}: ${answer.status} for ${call.method} ${path}: ${fault}`;
}

/** Whether a success is one that needs no token. */
export function isOpen(target: string): boolean {
  const path = pathOf(target);
  return open.some((pattern) => pattern.test(path));
}

/** What the routes of asynchronous requests ask for beside the right to predict. */
function asyncFault(path: string, credential: Credential, owners: AsyncOwners): string | undefined {
  const [, id] = asyncPath.exec(path) ?? [];
  return id === undefined ? undefined : owners.fault(id, credential);
}

function mayPass(call: FuzzCall, path: string, text: string, grant: Grant): string | undefined {
  if (isOpen(call.target)) return undefined;
  const need = needOf(call.method, path);
  switch (need) {
    case undefined:
    case 'unknown':
      return 'a path that is in no table';
    case 'own-token':
      return grant.own === (/^\/v2/i.test(path) ? 'protocol' : 'admin') ? undefined : 'without its own token';
    case 'cds-client':
      return [path, path.replace(/\/feedback$/i, '')].some((one) => grant.invokes === one)
        ? undefined
        : 'without a token for this URL';
    case 'fhir-scopes':
      return path.length > '/fhir/R4'.length
        ? interactionFault(call.method, belowBase(path), call, grant)
        : bundleFault(call, text, grant);
    case 'prediction':
      return grant.permissions.has('predictions.make')
        ? predictionFault(call, path, grant)
        : 'without predictions.make';
    case 'reports.review':
      return grant.permissions.has(need) && reachesEverybody(grant, 'DiagnosticReport', 'ru')
        ? undefined
        : 'reviewed without the right to, or without reading and updating reports';
    default:
      return grant.permissions.has(need) &&
        (call.method !== 'POST' || !/^\/runs$/i.test(path) || reachesEverybody(grant, 'Patient', 's'))
        ? undefined
        : `without ${need}`;
  }
}

function predictionFault(call: FuzzCall, path: string, grant: Grant): string | undefined {
  if (asyncPath.test(path)) return undefined;
  if (!reaches(grant, 'Patient', 'r') || !reaches(grant, 'Observation', 's'))
    return 'without reading what is predicted from';
  const writes = bodyOf(call)?.parameter?.some(
    ({ name, valueBoolean }) => name === 'writeBack' && valueBoolean === true,
  );
  if (writes === true && !reaches(grant, 'RiskAssessment', 'c')) return 'written without a scope for it';
  const [, id] = /\/Patient\/([^/]+)\/\$predict$/i.exec(path) ?? [];
  if (id !== undefined && !reachesEverybody(grant, 'Observation', 's') && id !== grant.launch?.patient)
    return 'about another patient than that of the launch';
  return undefined;
}

/** @param rest what stands below the base, as `Patient/1` */
function interactionFault(
  method: string,
  rest: string,
  { headers }: Pick<FuzzCall, 'headers'>,
  grant: Grant,
): string | undefined {
  const [type = '', id, history] = rest.split('/');
  const letters = lettersOf(method, id, history, headers['if-match'] !== undefined);
  if (letters === undefined) return 'an interaction that nobody knows';
  if (definitions.test(type) && /^[rs]$/.test(letters)) return grant.holds ? undefined : 'without a token that holds';
  return reaches(grant, type, letters) ? undefined : `without ${type}.${letters}`;
}

function lettersOf(
  method: string,
  id: string | undefined,
  history: string | undefined,
  isVersioned: boolean,
): string | undefined {
  const isRead = method === 'GET' || method === 'HEAD';
  if (id === undefined)
    return isRead ? 's' : method === 'POST' ? 'c' : { PUT: 'us', DELETE: 'ds', PATCH: 'us' }[method];
  if (id === '_search') return method === 'POST' || isRead ? 's' : undefined;
  if (history !== undefined) return history === '_history' && isRead ? 'r' : undefined;
  if (isRead) return 'r';
  return { PUT: isVersioned ? 'u' : 'uc', DELETE: 'd', PATCH: 'u' }[method];
}

interface SentBody {
  readonly entry?: readonly { readonly request?: { readonly method?: string; readonly url?: string } }[];
  readonly parameter?: readonly { readonly name?: unknown; readonly valueBoolean?: unknown }[];
}

/** A success has a body that could be read. */
function bodyOf({ body }: FuzzCall): SentBody | undefined {
  return body === undefined || body.length === 0 ? undefined : (JSON.parse(body.toString('utf8')) as SentBody);
}

/** Each entry that was done needs the scopes of its own interaction. */
function bundleFault(call: FuzzCall, text: string, grant: Grant): string | undefined {
  if (call.method !== 'POST') return 'an interaction that nobody knows';
  if (!grant.holds) return 'without a token that holds';
  const { entry: answered = [] } = JSON.parse(text || '{}') as { entry?: { response?: { status?: string } }[] };
  const asked = bodyOf(call)?.entry ?? [];
  for (const [index, { response }] of answered.entries()) {
    if (!/^[123]/.test(response?.status ?? '')) continue;
    const { method = '', url = '' } = asked[index]?.request ?? {};
    const fault = interactionFault(method, pathOf(`/${url}`).slice(1), { headers: {} }, grant);
    if (fault !== undefined) return `entry ${index}, ${method} ${url}, ${fault}`;
  }
  return undefined;
}

function belowBase(path: string): string {
  return path.replace(/^\/fhir\/R4\//i, '');
}

const asyncPath = /^\/fhir\/R4\/_async\/([^/]+)$/i;
const open = openPaths.map(patternOf);
const rows = routeNeeds.map(([method, path, need]) => ({ method, need, pattern: patternOf(path) }));

function patternOf(path: string): RegExp {
  const filled = path
    .replace(/[.$]/g, '\\$&')
    .replace(/\/\*rest/g, '/.+')
    .replace(/:\w+/g, '[^/]+');
  return new RegExp(`^${filled}$`, 'i');
}

function needOf(method: string, path: string): string | undefined {
  return rows.find(
    (row) =>
      (row.method === '*' || row.method === method || (row.method === 'GET' && method === 'HEAD')) &&
      row.pattern.test(path),
  )?.need;
}

/** What a target names, decoded once, without origin, query and last slash. */
export function pathOf(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/);
  try {
    return decodeURIComponent(path).replace(/\/$/, '');
  } catch {
    return path.replace(/\/$/, ''); // no text: nothing but a refusal answers it
  }
}
