import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFhirJson, stringifyFhirJson } from '../../src/fhir/fhir-json.ts';

test.each([
  '0.10',
  '-0.0',
  '1.0',
  '1e3',
  '1E-7',
  '100',
  '0.1',
  '3.14159265358979323846',
  '12345678901234567890',
  '5.000',
])('%s comes out as it was written', (literal) => {
  const text = `{"value":${literal},"list":[${literal},{"low":${literal}}],"n":1}`;
  expect(stringifyFhirJson(parseFhirJson(text))).toBe(text);
});

test('a number that was changed comes out as its new value, also in a copy', () => {
  const parsed = parseFhirJson('{"a":{"value":0.10,"unit":"x"}}') as { a: { value: number } };
  expect(stringifyFhirJson({ a: { ...parsed.a } })).toBe('{"a":{"value":0.10,"unit":"x"}}');
  expect(stringifyFhirJson({ a: { ...parsed.a, value: 0.2 } })).toBe('{"a":{"value":0.2,"unit":"x"}}');
});

test('text that looks like a number is left alone', () => {
  const text = '{"a":"x: 0.10","b":":1e5,"}';
  expect(stringifyFhirJson(parseFhirJson(text))).toBe(text);
});

test('__proto__ becomes an own key and pollutes nothing', () => {
  const parsed = parseFhirJson('{"__proto__":{"polluted":1.0},"x":1.0}') as object;
  expect(Object.keys(parsed)).toEqual(['__proto__', 'x']);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('parses and writes every JSON as JSON does', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(JSON.parse(stringifyFhirJson(parseFhirJson(text)))).toEqual(JSON.parse(text));
    }),
  );
});
