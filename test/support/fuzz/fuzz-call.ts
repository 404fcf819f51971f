import { gzipSync } from 'node:zlib';
import { policyTable } from '../../../src/http/access/policy-table.ts';
import { type Chance, chanceOf } from './chance.ts';
import { brokenBytes, hostileTexts, mutated } from './hostile-values.ts';
import { validBody } from './valid-bodies.ts';

/** One request of the fuzzer. */
export interface FuzzCall {
  readonly method: string;
  /** Path and query as they go over the wire: Latin-1 without blanks. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** The row of the route table that it was made from. */
  readonly route: string;
}

/** What routes take that is known here. */
export interface FuzzTokens {
  readonly protocol: string;
  readonly admin: string;
}

/** The table by which every route is let in, and what stands outside of it. */
export const fuzzedRoutes: readonly string[] = [
  ...new Set([...policyTable.map((row) => row.path), '/health/live', '/health/ready', '/absent']),
];

const methods = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
];
const words: Readonly<Record<string, readonly string[]>> = {
  id: ['1', '1', 'kept', 'prevent-base', 'sbp', '7f3c1d9e-6f3c-4c5e-9a57-2d8d8b0e9e11', 'absent'],
  service: ['prevent-base', 'prevent-base', 'absent'],
  file: ['manifest.schema.json', 'site.schema.json', 'absent.json'],
  version: ['1.0.0', '9.9.9'],
  output: ['total-cvd-10y', 'absent'],
  job: ['7f3c1d9e-6f3c-4c5e-9a57-2d8d8b0e9e11'],
};
const rests: Readonly<Record<string, readonly string[]>> = {
  '/v2': [
    'models/prevent-base/infer',
    'models/prevent-base',
    'models/prevent-base/versions/1.0.0/infer',
    'health/ready',
  ],
  '/fhir/R4': [
    'Patient',
    'Patient/1',
    'Patient/kept',
    'Patient/1/_history',
    'Patient/1/_history/1',
    'Patient/_search',
    'Observation',
    'Observation/sbp',
    'Condition',
    'Condition/kept-note',
    'Observation/total',
    'Encounter/visit',
    'Observation/_search',
    'RiskAssessment',
    'Binary/1',
    'Nothing/1',
    '_history',
    'OperationDefinition/predict',
    'metadata',
  ],
};
/** Where most of the code is: half of the calls go there. */
const busy = /\$predict$|\*rest$|:service$|^\/fhir\/R4$/;
const queries = [
  'patient=1',
  'patient=Patient/1&code=http://loinc.org|8480-6&_sort=-date&_count=5',
  'date=ge2026-01-01&date=lt2027',
  '_id=1,2,3',
  '_lastUpdated=gt2020-01-01',
  '_count=0',
  '_count=999999999999',
  '_format=json&_pretty=true',
  '_format=xml',
  '_summary=count',
  '_elements=id',
  '_include=Observation:patient',
  'patient=1&_include=Observation:patient&_revinclude=Observation:patient',
  'patient=kept',
  'subject=Patient/1',
  '_id=1',
  'birthdate=1966-05-01&gender=female',
  'from=2026-01-01&to=2026-12-31',
  'after=x&count=3',
  'status=running',
  '_cursor=x',
];

/**
 * The call that this seed stands for.
 * @param routes paths as routers write them, `/models/:id` or `/fhir/R4/*rest`
 * @param hostility of 1: how much of what could be broken in it is broken
 */
export function fuzzCall(seed: number, routes: readonly string[], tokens: FuzzTokens, hostility = 1): FuzzCall {
  const chance = chanceOf(seed);
  const isBroken = (share: number): boolean => chance.is(share * hostility);
  const much = chance.is(0.5) ? routes.filter((one) => busy.test(one)) : [];
  const route = chance.of(much.length > 0 ? much : routes);
  const method = isBroken(0.35) ? chance.of(methods) : usualMethod(route, chance);
  const filled = filledIn(route, chance, isBroken(0.15));
  const path = isBroken(0.12) ? brokenPath(filled, chance) : filled;
  const query = isBroken(0.3) ? `?${chance.is(0.3) ? brokenQuery(chance) : chance.of(queries)}` : '';
  const headers = headersFor(route, chance, tokens, isBroken);
  const hasBody = method === 'GET' || method === 'HEAD' ? chance.is(0.05) : method !== 'TRACE' && chance.is(0.9);
  const call = { method, target: onTheWire(path + query), headers, route };
  if (!hasBody) return call;
  const body = bodyFor(filled, route, chance, isBroken);
  return { ...call, body: headers['content-encoding'] === 'gzip' && chance.is(0.5) ? gzipSync(body) : body };
}

/** One that the route may take. */
function usualMethod(route: string, chance: Chance): string {
  if (/\$|\/(feedback|cancel|resume|redrive|reload|promote|roll-back|shadow|disable|enable)$|:service$/.test(route))
    return 'POST';
  if (route === '/runs' || route.startsWith('/v2/')) return chance.of(['GET', 'POST']);
  if (route === '/fhir/R4') return 'POST';
  return route === '/fhir/R4/*rest' ? chance.of(['GET', 'GET', 'POST', 'PUT', 'DELETE']) : 'GET';
}

function filledIn(route: string, chance: Chance, isHostile: boolean): string {
  return route
    .replace(/:(\w+)/g, (_, name: string) =>
      isHostile ? encodeURIComponent(chance.of(hostileTexts).toWellFormed()) : chance.of(words[name] ?? ['absent']),
    )
    .replace(/\/\*rest$/, () => {
      const base = Object.keys(rests).find((one) => route.startsWith(one)) ?? '/fhir/R4';
      return `/${chance.of(rests[base] ?? [''])}`;
    });
}

function brokenPath(path: string, chance: Chance): string {
  const at = chance.whole(path.length);
  return chance.of([
    () => `${path.slice(0, at)}/../${path.slice(at)}`,
    () => path.replaceAll('/', '//'),
    () => path.replaceAll('/', '%2f'),
    () => path.replaceAll('$', '%24'),
    () => `${path}/`,
    () => `${path}%00`,
    () => `${path}%`,
    () => `${path}\xff\xfe`,
    () => `${path};jsessionid=1`,
    () => path.toUpperCase(),
    () => path.replaceAll('/', '\\'),
    () => `http://evil.example${path}`,
    () => `${path}/${'x'.repeat(3_000)}`,
    () => `${path.slice(0, at)}%c0%af${path.slice(at)}`,
    () => `/${chance.of(hostileTexts)}`,
  ])();
}

function brokenQuery(chance: Chance): string {
  const [name = ''] = chance.of(queries).split('=');
  return chance.of([
    () => `${name}=${encodeURIComponent(chance.of(hostileTexts).toWellFormed())}`,
    () => `${name}=%ff%fe`,
    () => `${name}[$gt]=1&${name}[]=2`,
    () => `__proto__[polluted]=1&constructor=1`,
    () => `${name}=1&`.repeat(200),
    () => `${'x'.repeat(3_000)}=1`,
    () => `${name}:exact=1&${name}:missing=maybe&_has:Observation:patient:code=1`,
    () => '?&&==&%',
  ])();
}

function onTheWire(target: string): string {
  const bytes = Buffer.from(target.toWellFormed(), 'utf8').toString('latin1');
  const isBinary = /[\xff\xfe]/.test(target);
  return (isBinary ? target : bytes).replace(/[^\x21-\xff]/g, (sign) => encodeURIComponent(sign));
}

function headersFor(
  route: string,
  chance: Chance,
  tokens: FuzzTokens,
  isBroken: (share: number) => boolean,
): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': isBroken(0.15)
      ? chance.of([
          'application/fhir+json',
          'application/xml',
          'text/plain',
          'application/x-www-form-urlencoded',
          'application/octet-stream',
          'multipart/form-data; boundary=x',
          'application/json; charset=utf-16',
          ';;;',
          'application/json'.repeat(200),
        ])
      : 'application/json',
  };
  const right = route.startsWith('/v2') ? tokens.protocol : tokens.admin;
  const needsToken = route.startsWith('/v2') || route.startsWith('/admin');
  if (chance.is(needsToken ? 0.8 : 0.1)) {
    headers.authorization = chance.is(needsToken ? 0.5 : 0)
      ? `Bearer ${right}`
      : chance.of([
          'Bearer',
          'Bearer ',
          'Basic YTpi',
          'Bearer eyJhbGciOiJub25lIn0.e30.',
          `Bearer ${'x'.repeat(4_000)}`,
          '\xff',
        ]);
  }
  const others: readonly (readonly [string, readonly string[]])[] = [
    [
      'accept',
      [
        'application/fhir+json',
        '*/*',
        'application/xml',
        'text/html',
        'q=;,,;',
        'application/json;q=2',
        'x'.repeat(2_000),
      ],
    ],
    ['prefer', ['return=minimal', 'respond-async', 'return=OperationOutcome', 'handling=strict', 'return=x']],
    ['if-match', ['W/"1"', '*', '"x"', 'W/', '\xe9']],
    ['if-none-match', ['W/"1"', '*', '""']],
    ['if-none-exist', ['identifier=x', '_id=1', '%', 'code']],
    ['if-modified-since', ['yesterday', 'Sat, 28 Nov 2026 10:00:00 GMT']],
    ['content-encoding', ['gzip', 'br', 'identity', 'gzip, gzip', 'x']],
    ['x-request-id', ['fuzz-1', 'x'.repeat(500), '<b>', 'a b']],
    ['x-forwarded-for', ['127.0.0.1', '::1', 'x']],
    ['x-http-method-override', ['DELETE']],
    ['origin', ['null', 'http://evil.example']],
    ['host', ['evil.example', 'localhost', '[::1', '127.0.0.1@evil.example']],
    ['range', ['bytes=0-5', 'bytes=-1']],
    ['inference-header-content-length', ['10', '-1', '99999999', 'x']],
    ['last-event-id', ['1']],
  ];
  for (const [name, choices] of others) if (isBroken(0.03)) headers[name] = chance.of(choices);
  if (isBroken(0.005)) headers.expect = '200-ok';
  return headers;
}

function bodyFor(path: string, route: string, chance: Chance, isBroken: (share: number) => boolean): Buffer {
  const valid = validBody(path, route, chance);
  const given = isBroken(0.5) ? mutated(valid, chance) : valid;
  const body = Buffer.from(JSON.stringify(given) ?? '');
  return isBroken(0.12) ? brokenBytes(body, chance) : body;
}
