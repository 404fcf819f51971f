import type { Chance } from './chance.ts';

/** Texts that broke somebody's server once. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\r\nSet-Cookie: fuzz=1',
  '\ud800',
  '\u202etxt.exe',
  '\ufeff',
  '\u{1f4a9}'.repeat(40),
  'e\u0301'.repeat(100),
  '../../../../etc/passwd',
  '..\\..\\windows',
  '%2e%2e%2f',
  '%00',
  '%',
  '%zz',
  "' or 1=1 --",
  '"; drop table resources; --',
  '$(touch /tmp/fuzzed)',
  '$\u007bjndi:ldap://127.0.0.1/x}',
  '<script>alert(1)</script>',
  '{{constructor.constructor("return process")()}}',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'http://169.254.169.254/latest/meta-data/',
  'file:///etc/passwd',
  '//evil.example/x',
  'Patient/1',
  'Patient/../Patient/1',
  '#contained',
  'urn:uuid:00000000-0000-0000-0000-000000000000',
  '9999-99-99',
  '0000-01-01T00:00:00Z',
  '2026-02-30',
  '+292278994-08-17T07:12:55Z',
  'NaN',
  'Infinity',
  '1e999',
  '-0',
  'x'.repeat(65),
  'x'.repeat(5_000),
  '(a+)+$',
  'a'.repeat(60).concat('!'),
];

/** Values that stand in the place of any other in a JSON body. */
export function hostileValue(chance: Chance): unknown {
  return chance.of<() => unknown>([
    () => chance.of(hostileTexts),
    () => null,
    () => chance.is(0.5),
    () => chance.of([0, -1, 1, 1.5, 1e308, -1e308, 2 ** 53, 5e-324, 1e21]),
    () => [],
    () => ({}),
    () => [null],
    () => Array.from({ length: chance.whole(300) }, () => 1),
    () => nested(chance.whole(400), chance.is(0.5)),
    () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as unknown,
    () => ({ reference: chance.of(hostileTexts) }),
    () => ({ resourceType: chance.of(['Patient', 'Observation', 'Binary', 'Nothing', '__proto__']) }),
  ])();
}

function nested(depth: number, asList: boolean): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = asList ? [value] : { extension: value };
  return value;
}

/** A copy with some of its places changed: other values, left out, doubled, or under another name. */
export function mutated(value: unknown, chance: Chance, changes = 1 + chance.whole(3)): unknown {
  const copy = { root: structuredClone(value) };
  for (let done = 0; done < changes; done += 1) {
    const places: [Record<string, unknown>, string][] = [];
    collectPlaces(copy, places);
    if (places.length === 0) break;
    const [holder, key] = chance.of(places);
    const kind = chance.whole(6);
    if (kind === 0 && Array.isArray(holder)) holder.splice(Number(key), 1);
    else if (kind === 0) delete holder[key];
    else if (kind === 1 && Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]));
    else if (kind === 2) defineOwn(holder, chance.of(hostileTexts), holder[key]);
    else holder[key] = hostileValue(chance);
  }
  return copy.root;
}

/** Also where the key is `__proto__`, which assigning would take for the prototype. */
function defineOwn(holder: object, key: string, value: unknown): void {
  if (Array.isArray(holder)) return;
  Object.defineProperty(holder, key, {
    value: structuredClone(value),
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function collectPlaces(value: unknown, places: [Record<string, unknown>, string][]): void {
  if (typeof value !== 'object' || value === null || places.length > 300) return;
  for (const key of Object.keys(value)) {
    places.push([value as Record<string, unknown>, key]);
    collectPlaces((value as Record<string, unknown>)[key], places);
  }
}

/** The bytes of a body after something went wrong with them on their way. */
export function brokenBytes(body: Buffer, chance: Chance): Buffer {
  const kind = chance.whole(5);
  const at = chance.whole(body.length + 1);
  if (kind === 0) return body.subarray(0, at);
  if (kind === 1) return Buffer.concat([body, body]);
  if (kind === 2) return Buffer.concat([body.subarray(0, at), Buffer.from([0xff, 0xfe, 0]), body.subarray(at)]);
  if (kind === 3) return Buffer.from(body.toString('utf8'), 'utf16le');
  return Buffer.from('['.repeat(chance.whole(20_000)));
}
