import type { FuzzCall } from './fuzz-call.ts';
import type { FuzzAnswer } from './send-call.ts';

/** Failures that are declared: they pass by themselves, or took too long. */
const declared = [503, 504];
const emptyBodies = [204, 304];

/** What is wrong with an answer, whatever the call; undefined where nothing is. @param secrets that no answer may hold */
export function answerFault(call: FuzzCall, answer: FuzzAnswer, secrets: readonly string[]): string | undefined {
  const { status, headers } = answer;
  const text = answer.body.toString('utf8');
  if (status >= 500 && !declared.includes(status)) return `status ${status}: ${text.slice(0, 500)}`;
  const leak = secretIn(text + JSON.stringify(headers), secrets) ?? (status >= 400 ? insideIn(text) : undefined);
  if (leak !== undefined) return `it gives away ${leak}`;
  // Node.js itself answers what it cannot read, or does not expect, and hangs up.
  if (text === '' && [400, 413, 417, 431].includes(status)) return undefined;
  if (headers['x-powered-by'] !== undefined || headers.server !== undefined) return 'it says what it runs on';
  if (headers['x-content-type-options'] !== 'nosniff') return 'browsers may guess its type';
  if (headers['cache-control'] === undefined) return 'caches may keep it';
  if (headers['set-cookie'] !== undefined) return 'it sets a cookie';
  if (status === 401 && headers['www-authenticate'] === undefined) return '401 without WWW-Authenticate';
  if (status === 405 && headers.allow === undefined) return '405 without Allow';
  if ([429, 503].includes(status) && headers['retry-after'] === undefined && !isReadiness(call))
    return `${status} without Retry-After`;
  return shapeFault(call, answer, text);
}

function shapeFault({ method, target }: FuzzCall, { status, headers }: FuzzAnswer, text: string): string | undefined {
  if (method === 'HEAD' || emptyBodies.includes(status)) return text === '' ? undefined : 'a body where none may be';
  if (text === '')
    return method === 'OPTIONS' || status === 200 || status === 201 ? undefined : `${status} says nothing`;
  const type = headers['content-type'] ?? '';
  if (!/^(application\/(fhir\+|schema\+)?json|text\/json)/.test(type))
    return status < 400 && /^(text\/(plain|html|csv|markdown)|application\/(octet-stream|x-ndjson))/.test(type)
      ? undefined
      : `${status} as '${type}'`;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return 'a body that is not JSON';
  }
  if (status < 400) return undefined;
  return isOutcome(body) || (/^\/v2(\/|\?|$)/i.test(pathOf(target)) && isProtocolError(body)) || isNotReady(body)
    ? undefined
    : `${status} in no shape of its protocol: ${text.slice(0, 300)}`;
}

function isOutcome(body: unknown): boolean {
  const { resourceType, issue } = body as { resourceType?: unknown; issue?: { severity?: unknown; code?: unknown }[] };
  return (
    resourceType === 'OperationOutcome' &&
    Array.isArray(issue) &&
    issue.length > 0 &&
    issue.every(({ severity, code }) => typeof severity === 'string' && typeof code === 'string')
  );
}

function isProtocolError(body: unknown): boolean {
  const { error } = body as { error?: unknown };
  return typeof error === 'string' && error !== '';
}

function isNotReady(body: unknown): boolean {
  const { status, ready } = body as { status?: unknown; ready?: unknown };
  return status === 'not-ready' || ready === false;
}

function isReadiness({ target }: FuzzCall): boolean {
  return /ready\b/.test(target);
}

/** Without the origin that a proxy's form of a request has. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/]*/i, '');
}

/** Which secret a text holds. */
export function secretIn(text: string, secrets: readonly string[]): string | undefined {
  const secret = secrets.findIndex((one) => text.includes(one));
  return secret < 0 ? undefined : `secret ${secret}`;
}

/** What tells of the inside: a line of a stack, a file of the server, a text of a driver. */
export function insideIn(text: string): string | undefined {
  return /\bat [^\n"]{1,200}\.[jt]s:\d+|node_modules|node:internal|PostgresError|syntax error at or near|ECONNREFUSED/.exec(
    text,
  )?.[0];
}
